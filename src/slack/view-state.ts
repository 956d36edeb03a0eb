/** What a person entered in a modal, read by block id. */
import type { ViewOutput, ViewStateValue } from '@slack/bolt';

type Stated = Pick<ViewOutput, 'state' | 'private_metadata'>;

export class FormState {
  private readonly values: Readonly<Record<string, Readonly<Record<string, ViewStateValue>>>>;
  /** Ids that the view was made with. They name things; they prove nothing. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(view: Stated) {
    this.values = view.state.values;
    this.metadata = metadataOf(view.private_metadata);
  }

  /** Every block of ours holds one element. */
  private at(block: string): ViewStateValue | undefined {
    return Object.values(this.values[block] ?? {})[0];
  }

  /** Trimmed; empty when nothing was typed. */
  text(block: string): string {
    return this.at(block)?.value?.trim() ?? '';
  }

  choice(block: string): string | null {
    return this.at(block)?.selected_option?.value ?? null;
  }

  choices(block: string): string[] {
    return (this.at(block)?.selected_options ?? []).map(({ value }) => value);
  }

  user(block: string): string | null {
    return this.at(block)?.selected_user ?? null;
  }

  users(block: string): string[] {
    return this.at(block)?.selected_users ?? [];
  }

  /** `2026-03-12` */
  date(block: string): string | null {
    return this.at(block)?.selected_date ?? null;
  }

  channel(block: string): string | null {
    return this.at(block)?.selected_conversation ?? null;
  }

  /** NaN when it is no number. */
  number(block: string): number {
    return Number(this.text(block) || 'nothing');
  }

  has(block: string): boolean {
    return this.at(block) !== undefined;
  }
}

/** Names of things; what no view of ours was made with names nothing. */
function metadataOf(text: string): Readonly<Record<string, string>> {
  try {
    const given: unknown = JSON.parse(text);
    const entries = typeof given === 'object' && given !== null ? Object.entries(given) : [];
    return Object.fromEntries(entries.filter(([, name]) => typeof name === 'string'));
  } catch {
    return {};
  }
}
