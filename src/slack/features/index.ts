import type { ExtendedErrorHandlerArgs } from '@slack/bolt/dist/App.js';
import { explained } from '../../../blocks/parts/text.js';
import { explain, type Register } from '../edge.js';
import { type Place, tellUser } from '../tell.js';
import { registerApprovals } from './approvals/register.js';
import { registerAuthorizations } from './authorizations/register.js';
import { registerCallers } from './callers/register.js';
import { registerConnections } from './connections/register.js';
import { registerExecutions } from './executions/register.js';
import { registerGrants } from './grants/register.js';
import { registerHome } from './home/register.js';
import { registerLifecycle } from './lifecycle/register.js';
import { registerReport } from './report/register.js';
import { registerRun } from './run/register.js';
import { registerSecondProof } from './second-proof/register.js';
import { registerSettings } from './settings/register.js';

const FEATURES: readonly Register[] = [
  registerApprovals,
  registerAuthorizations,
  registerCallers,
  registerConnections,
  registerExecutions,
  registerGrants,
  registerHome,
  registerLifecycle,
  registerRun,
  registerReport,
  registerSecondProof,
  registerSettings,
];

/** Wires every feature of the Slack edge. */
export const registerFeatures: Register = (edge) => {
  for (const register of FEATURES) register(edge);
  edge.app.error(async ({ error, body }: ExtendedErrorHandlerArgs) => {
    const text = explain(error, edge.log);
    const place = placeOf(body);
    if (place) await tellUser(edge, place, explained(text));
  });
};

/** Whoever is behind a payload of any kind, and where; null for events that nobody waits for. */
function placeOf(body: object): Place | null {
  const { user, user_id, channel } = body as {
    user?: { id?: string };
    user_id?: string;
    channel?: { id: string };
  };
  const id = user?.id ?? user_id;
  return id ? { user: { id }, channel } : null;
}
