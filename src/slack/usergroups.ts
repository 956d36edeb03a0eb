/** User groups by name. Slack has no menu for them, so the app fills one. */
import type { Choice } from '../../blocks/parts/inputs.js';
import type { SlackEdge } from './edge.js';

export async function userGroups(edge: SlackEdge): Promise<Choice[]> {
  const { usergroups = [] } = await edge.clients.fast.usergroups.list();
  return usergroups.flatMap(({ id, handle, name }) =>
    id ? [{ value: id, label: `@${handle ?? id}`, description: name }] : [],
  );
}

/** These groups as a menu shows them; by id while Slack does not answer. */
export async function groupChoices(edge: SlackEdge, ids: readonly string[]): Promise<Choice[]> {
  if (ids.length === 0) return [];
  const known = await userGroups(edge).catch(() => []);
  return ids.map((id) => known.find(({ value }) => value === id) ?? { value: id, label: id });
}
