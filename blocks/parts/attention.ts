/** What there is to know about who decides, besides the list: who looks at it, who stands in, who comes next. Pure. */
import type { Button, KnownBlock } from '@slack/types';
import { ACTIONS } from '../../src/slack/ids.js';
import { button, context, group, moment, person, said } from './text.js';

export interface ShownAttention {
  /** It was posted to several people, so that it helps to say who looks at it. */
  readonly several: boolean;
  readonly looking: readonly { readonly userId: string; readonly at: Date }[];
  /** Who decides for whom at present. */
  readonly delegates: readonly { readonly memberId: string; readonly delegateId: string }[];
  /** The second list, and when it is asked, or since when. */
  readonly escalation: {
    readonly at: Date;
    readonly asked: boolean;
    readonly users: readonly string[];
    readonly groups: readonly string[];
  } | null;
  /** The kill switch: its time stands still. */
  readonly paused: { readonly by: string; readonly reason: string } | null;
  /** One-person workspace: an admin may decide about her own request. */
  readonly soleOperator: boolean;
}

const NAMED = 8;

function named(users: readonly string[], groups: readonly string[]): string {
  const all = [...users.map(person), ...groups.map(group)];
  const left = all.length - NAMED;
  return `${all.slice(0, NAMED).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}

/** Lines below "Waiting for …". */
export function attentionBlocks(attention: ShownAttention | null | undefined): KnownBlock[] {
  if (!attention) return [];
  const { looking, delegates, escalation, paused, soleOperator } = attention;
  const lines = [
    ...(paused
      ? [
          `${pausedWords(paused)}\nIts time stands still. It can be denied now, and approved once it is resumed.`,
        ]
      : []),
    ...(delegates.length > 0
      ? [
          `:palm_tree: ${delegates
            .slice(0, NAMED)
            .map(({ memberId, delegateId }) => `${person(delegateId)} for ${person(memberId)}`)
            .join(', ')}, while away`,
        ]
      : []),
    // A moment that stands still is not yet known.
    ...(escalation && (escalation.asked || !paused)
      ? [
          escalation.asked
            ? `:arrow_up: Escalated ${moment(escalation.at)}: ${named(escalation.users, escalation.groups)} may decide too`
            : `:arrow_up: Goes to ${named(escalation.users, escalation.groups)} too ${moment(escalation.at)}`,
        ]
      : []),
    ...(soleOperator
      ? [
          ':bust_in_silhouette: *Sole operator:* may approve her own. An admin turned that on in the settings.',
        ]
      : []),
    ...(looking.length > 0
      ? [
          `:eyes: ${looking.map(({ userId, at }) => `${person(userId)} is looking at it since ${moment(at)}`).join(', ')}`,
        ]
      : []),
  ];
  return lines.map(context);
}

/** Who paused it, and why. */
export function pausedWords({ by, reason }: NonNullable<ShownAttention['paused']>): string {
  return `:double_vertical_bar: *Paused* by ${pauser(by)}: ${said(reason, 300)}`;
}

/** The operator has no account in Slack. */
function pauser(id: string): string {
  return /^[UW][A-Z0-9]+$/.test(id) ? person(id) : said(id, 60);
}

/** Says who looks at it, and nothing else: it reserves nothing and decides nothing. */
export function lookButton(attention: ShownAttention | null | undefined, name: string): readonly Button[] {
  return attention?.several ? [button('I have it', ACTIONS.looking, name)] : [];
}
