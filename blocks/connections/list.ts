/** `/connections`, `list` and `find`: what somebody may see, as a message for their eyes only. */
import type { KnownBlock } from '@slack/types';
import { ACTIONS } from '../../src/slack/ids.js';
import { actions, button, context, divider, header, person, said, section } from '../parts/text.js';

export interface ConnectionRow {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  /** Title of the connector. */
  readonly connector: string;
  readonly identity: 'shared' | 'private';
  readonly ownerId: string;
  readonly purpose: string;
  readonly status: 'draft' | 'ready';
  readonly paused: boolean;
  readonly needsReconnect: boolean;
}

export interface ConnectionList {
  readonly rows: readonly ConnectionRow[];
  /** Of all pages. */
  readonly total: number;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  readonly search: string | null;
  readonly mayAdd: boolean;
}

export interface Message {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

function statusText(row: ConnectionRow): string {
  if (row.paused) return ':double_vertical_bar: paused';
  if (row.needsReconnect) return ':warning: needs reconnect';
  return row.status === 'ready' ? ':white_check_mark: ready' : ':memo: draft';
}

function rowBlock(row: ConnectionRow): KnownBlock {
  const about = [said(row.connector, 40), row.identity, person(row.ownerId), statusText(row)].join(' · ');
  const purpose = row.purpose === '' ? '_No purpose is written yet_' : said(row.purpose, 150);
  return section(
    `*${said(row.name, 80)}*  \`${row.key}\`\n${purpose}\n${about}`,
    button('Open', ACTIONS.connectionOpen, row.id),
  );
}

function emptyText({ search, mayAdd }: ConnectionList): string {
  if (search !== null) {
    const more = mayAdd ? ' If it is missing, add it.' : ' If it is missing, ask an admin to add it.';
    return `No connection that you can see matches “${said(search, 80)}”. \`/connections\` lists all.${more}`;
  }
  return mayAdd
    ? '*There are no connections yet.*\nA connection lets agents use one of your systems: you pick the functions, who approves them, and who may call them. Add the first one; it stays a draft until it was tested.'
    : '*There is nothing here for you yet.*\nAn admin adds connections with `/connections add`. You see them here once they are ready.';
}

/** At most twenty rows, so that a page with its buttons stays below the 50 blocks of a message. */
export function connectionListMessage(list: ConnectionList): Message {
  const { rows, total, page, pages, search, mayAdd } = list;
  const title = search === null ? 'Connections' : 'Connections found';
  const add = mayAdd ? [button('Add a connection', ACTIONS.connectionAdd, 'new', { style: 'primary' })] : [];
  if (rows.length === 0) {
    return {
      text: `${title}: none`,
      blocks: [section(emptyText(list)), ...(mayAdd ? [actions(add)] : [])],
    };
  }
  // The page to go to, then the search as it was typed: a list has nothing that an id could name.
  const to = (target: number): string => `${target}:${search ?? ''}`;
  const turn = [
    ...(page > 1 ? [{ ...button('Previous', ACTIONS.connectionPage, to(page - 1)), block: 'back' }] : []),
    ...(page < pages ? [{ ...button('Next', ACTIONS.connectionPage, to(page + 1)), block: 'next' }] : []),
  ].map(({ block, ...element }) => actions([element], `page.${block}`));
  const range = pages > 1 ? ` · page ${page} of ${pages}` : '';
  const found = search === null ? '' : ` for “${said(search, 80)}”`;
  return {
    text: `${title}: ${total}`,
    blocks: [
      header(title),
      context(`${total} that you can see${found}${range} · \`/connections find TEXT\` searches`),
      divider,
      ...rows.map(rowBlock),
      ...(mayAdd ? [actions(add, 'add')] : []),
      ...turn,
    ],
  };
}
