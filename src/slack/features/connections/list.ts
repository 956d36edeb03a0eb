/** `/connections`, `list` and `find`. */
import {
  type ConnectionRow,
  connectionListMessage,
  type Message,
} from '../../../../blocks/connections/list.js';
import type { ConnectionDocument } from '../../../../models/types.js';
import { catalogueEntry } from '../../../connectors/catalogue.js';
import type { SlackEdge } from '../../edge.js';

const PER_PAGE = 20;

export async function listMessage(
  edge: SlackEdge,
  userId: string,
  search: string | null,
  page = 1,
): Promise<Message> {
  const { connections, roles } = edge.services;
  const [all, { admin }] = await Promise.all([
    connections.list(userId, search ?? undefined),
    roles.of(userId),
  ]);
  const pages = Math.max(1, Math.ceil(all.length / PER_PAGE));
  const current = Math.min(Math.max(1, page), pages);
  const shown = all.slice((current - 1) * PER_PAGE, current * PER_PAGE);
  return connectionListMessage({
    rows: shown.map(rowOf),
    total: all.length,
    page: current,
    pages,
    search,
    mayAdd: admin,
  });
}

function rowOf(connection: ConnectionDocument): ConnectionRow {
  const { _id, key, name, connector, identity, ownerId, purpose, status, paused, health } = connection;
  return {
    id: _id,
    key,
    name,
    connector: catalogueEntry(connector).title,
    identity,
    ownerId,
    purpose,
    status: status === 'ready' ? 'ready' : 'draft',
    paused: paused !== null,
    needsReconnect: health === 'needs_reauth',
  };
}

/** `2:search words`, as the page buttons carry it. */
export function pageOf(value: string): { page: number; search: string | null } {
  const [, page = '1', search = ''] = /^(\d{1,6}):(.*)$/s.exec(value) ?? [];
  return { page: Number(page), search: search === '' ? null : search };
}
