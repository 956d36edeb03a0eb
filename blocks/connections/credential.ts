/** How the credential gets in: through one-time pages in the browser, never through Slack. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS } from '../../src/slack/ids.js';
import { modal } from '../parts/inputs.js';
import { actions, button, context, said, section } from '../parts/text.js';

export type CredentialNeed =
  | { readonly kind: 'none' }
  /** Members prove themselves, each in her own DM. */
  | { readonly kind: 'members' }
  /** Nothing tells whose account it was. */
  | { readonly kind: 'admin' }
  | { readonly kind: 'secret'; readonly what: string; readonly url: string }
  | {
      readonly kind: 'oauth_app';
      readonly provider: string;
      readonly redirectUri: string;
      readonly url: string;
    }
  | { readonly kind: 'oauth'; readonly provider: string; readonly url: string };

export interface CredentialStep {
  readonly connection: { readonly id: string; readonly key: string; readonly name: string };
  /** It was made a moment ago. */
  readonly created: boolean;
  /** More than one only where an OAuth client comes first. */
  readonly needs: readonly CredentialNeed[];
  /** Where there is an OAuth client of the connection's own: the link with which an admin enters another. */
  readonly replace: {
    readonly redirectUri: string;
    readonly url: string;
    /** By ourselves: it can be again. */
    readonly registered: boolean;
  } | null;
  readonly warning: string | null;
}

function needBlocks(need: CredentialNeed, key: string, step: string): KnownBlock[] {
  const link = (label: string, url: string): KnownBlock =>
    actions([button(label, ACTIONS.linkOpened, 'link', { url, style: 'primary' })], `link.${need.kind}`);
  switch (need.kind) {
    case 'none':
      return [section(`${step}This connection signs in nowhere, so there is no credential to enter.`)];
    case 'members':
      return [
        section(
          `${step}Nothing to enter here: each member authorizes her own account. She is asked by DM when an agent first needs it, or starts with \`/connections connect ${key}\`.`,
        ),
      ];
    case 'admin':
      return [
        section(
          `${step}Nothing here tells whose account it was, so an admin has to connect it again. Ask one: \`/connections show ${key}\`.`,
        ),
      ];
    case 'secret':
      return [
        section(`${step}*${said(need.what, 60)}* is entered on a web page that opens once.`),
        link(`Enter the ${need.what}`, need.url),
      ];
    case 'oauth_app':
      return [
        section(
          `${step}*OAuth client for ${need.provider}.* Create one there (web application) with this redirect URI, then enter its id and secret:\n\`${said(need.redirectUri, 300)}\``,
        ),
        link('Enter the OAuth client', need.url),
      ];
    case 'oauth':
      return [
        section(`${step}*Sign in with ${need.provider}* as the account that this connection shall act as.`),
        link(`Connect ${need.provider}`, need.url),
      ];
  }
}

function replaceBlocks(
  { redirectUri, url, registered }: NonNullable<CredentialStep['replace']>,
  id: string,
): KnownBlock[] {
  const why = 'The server does not know our OAuth client any more, or its secret is wrong?';
  const redirect = `with this redirect URI:\n\`${said(redirectUri, 300)}\``;
  return [
    section(
      registered
        ? `${why} *Register again* makes another; who is connected then connects again. Or create one there ${redirect}`
        : `${why} Create another there ${redirect}`,
    ),
    actions(
      [
        ...(registered ? [button('Register again', ACTIONS.connectionRegisterClient, id)] : []),
        button('Replace the OAuth client', ACTIONS.linkOpened, 'link', { url }),
      ],
      'link.replace',
    ),
  ];
}

export function connectionCredentialModal(step: CredentialStep): View {
  const { connection, created, needs, replace, warning } = step;
  const { id, key, name } = connection;
  const first = created
    ? `:white_check_mark: *${said(name, 80)}* is there as a draft, with the key \`${key}\`.`
    : `*${said(name, 80)}*  \`${key}\``;
  const numbered = needs.length > 1;
  const links = needs.some(({ kind }) => !['none', 'members', 'admin'].includes(kind)) || replace !== null;
  return modal({
    title: created ? 'Connection added' : 'Credential',
    blocks: [
      section(first),
      ...(warning === null ? [] : [context(`:warning: ${said(warning, 300)}`)]),
      ...needs.flatMap((need, index) => needBlocks(need, key, numbered ? `${index + 1}. ` : '')),
      ...(replace === null ? [] : replaceBlocks(replace, id)),
      ...(links
        ? [context('Links work once, for ten minutes, and only for you. “New link” makes another.')]
        : []),
      actions(
        [
          button('Show the connection', ACTIONS.connectionShow, id),
          ...(links ? [button('New link', ACTIONS.connectionNewLink, id)] : []),
        ],
        'after',
      ),
    ],
  });
}
