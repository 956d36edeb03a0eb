/** The second proof: the form that asks for six digits, setting one up, changing it, and an admin's reset of it. */
import type { InputBlock, KnownBlock, ModalView } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { plain } from './inert.js';
import { modal, radio, textInput, userInput } from './parts/inputs.js';
import { actions, button, context, moment, said, section } from './parts/text.js';

export interface ProofForm {
  readonly executionId: string;
  /** First 8 hex digits of the digest of what is approved. */
  readonly hash: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly callerName: string;
}

/** Six digits; nothing else fits in. */
function codeInput(label: string): InputBlock {
  return {
    type: 'input',
    block_id: 'code',
    label: plain(label, 100),
    hint: plain('From your authenticator app. Each code works once.', 150),
    element: {
      type: 'plain_text_input',
      action_id: 'value',
      min_length: 6,
      max_length: 7,
      focus_on_load: true,
      placeholder: plain('123456', 20),
    },
  };
}

/** Comes after a click on Approve; its submission is the approval. */
export function proofModal(form: ProofForm): ModalView {
  const { executionId, hash, functionTitle, connectionName, callerName } = form;
  return {
    ...modal({
      title: 'Second proof',
      callback: VIEWS.proof,
      submit: 'Approve',
      blocks: [
        section(
          `You approve *${said(functionTitle)}* on ${said(connectionName)}, asked by *${said(callerName)}*.`,
        ),
        codeInput('Six digits'),
        context(`${executionId} · ${hash}`),
      ],
    }),
    private_metadata: `${executionId}:${hash}`,
  };
}

/** In place of that form where the rule wants a sign-in: what the link leads to is the approval. */
export function signInModal(form: ProofForm, url: string): ModalView {
  const { executionId, hash, functionTitle, connectionName, callerName } = form;
  return modal({
    title: 'Second proof',
    blocks: [
      section(
        `You approve *${said(functionTitle)}* on ${said(connectionName)}, asked by *${said(callerName)}*. Sign in with your company account for it: with that it is approved.`,
      ),
      actions([button('Sign in', ACTIONS.linkOpened, 'link', { url, style: 'primary' })], 'link'),
      context(`The link works once, for ten minutes, and only for you. · ${executionId} · ${hash}`),
    ],
  });
}

/** What stands in place of the form for who has none. */
export function proofMissingModal(): ModalView {
  return modal({
    title: 'Second proof',
    blocks: [
      section(
        ':lock: *This approval asks for a second proof, and you have none yet.* Nothing was approved. Set one up with an authenticator app on your phone, then press Approve again.',
      ),
      actions([setUpButton('primary')], 'proof'),
      context('Denying needs no second proof.'),
    ],
  });
}

function setUpButton(style?: 'primary') {
  return button('Set up a second proof', ACTIONS.proofSetUp, 'proof', style ? { style } : {});
}

/** In App Home. `since`: null while she has none. */
export function proofBlocks(since: Date | null): KnownBlock[] {
  if (since === null) {
    return [
      section(
        '*Second proof*\nSome approvals ask for six digits of an authenticator app on top of the click.',
        setUpButton(),
      ),
    ];
  }
  return [
    section(
      `*Second proof*\n:lock: set up ${moment(since)}`,
      button('Replace or remove', ACTIONS.proofManage, 'proof'),
    ),
  ];
}

/** @param url works once, for ten minutes */
export function proofLinkModal(url: string): ModalView {
  return modal({
    title: 'Second proof',
    blocks: [
      section(
        'The page shows a QR code for your authenticator app and asks for its first code. Have your phone ready.',
      ),
      actions([button('Open the page', ACTIONS.linkOpened, 'link', { url, style: 'primary' })], 'link'),
      context('The link works once, for ten minutes, and only for you.'),
    ],
  });
}

export type ProofChange = 'replace' | 'remove';

export function proofManageModal(since: Date): ModalView {
  return modal({
    title: 'Second proof',
    callback: VIEWS.proofManage,
    submit: 'Go on',
    blocks: [
      section(`:lock: Your second proof was set up ${moment(since)}.`),
      radio({
        block: 'change',
        label: 'What do you want to do?',
        choices: [
          {
            value: 'replace',
            label: 'Replace it',
            description: 'Another phone or app; the old one works until then',
          },
          {
            value: 'remove',
            label: 'Remove it',
            description: 'You cannot approve what asks for one any more',
          },
        ],
        initial: 'replace',
      }),
      codeInput('A code of the present one'),
      context('Phone lost? An admin can reset it: `/connections reset-proof`.'),
    ],
  });
}

/** For admins. */
export function proofResetModal(): ModalView {
  return modal({
    title: 'Reset a second proof',
    callback: VIEWS.proofReset,
    submit: 'Reset',
    blocks: [
      section(
        'For somebody who lost her phone. Make sure that it is she who asks: without it, a click alone is enough to set up a new one. She is told, and it is audited.',
      ),
      userInput({ block: 'member', label: 'Whose' }),
      textInput({
        block: 'reason',
        label: 'Why, and how you know that it is she',
        max: 300,
        multiline: true,
      }),
    ],
  });
}
