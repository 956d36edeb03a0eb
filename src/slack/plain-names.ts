/** People by their names, for where Slack shows plain text: a mention would stand there as an id in brackets. */
import { plain } from '../../blocks/inert.js';
import type { SlackEdge } from './edge.js';

const MENTION = /<@([UW][A-Z0-9]{1,20})>/g;
const SOMEBODY = 'somebody';
const LONGEST_NAME = 80;
/** The answer that a name is wanted for is due within three seconds, and most of them may be gone. */
const PATIENCE_MS = 400;

/** The sentence with names instead of mentions; “somebody” where a name cannot be said in time. Never throws. */
export async function withNames({ deps }: Pick<SlackEdge, 'deps'>, text: string): Promise<string> {
  const ids = new Set([...text.matchAll(MENTION)].flatMap(([, id]) => id ?? []));
  if (ids.size === 0) return text;
  const names = new Map<string, string>();
  const asked = [...ids].map(async (id) => {
    const person = await deps.directory.person(id).catch(() => null);
    if (person) names.set(id, plain(person.name, LONGEST_NAME, 'ellipsis').text);
  });
  await Promise.race([Promise.all(asked), patience()]);
  return text.replace(MENTION, (_mention, id: string) => names.get(id) ?? SOMEBODY);
}

function patience(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS).unref();
  });
}
