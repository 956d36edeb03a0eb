/** "Edit, then approve": the caller's arguments as a form. Pure. */
import type { View } from '@slack/types';
import type { SecondProof } from '../models/types.js';
import { VIEWS } from '../src/slack/ids.js';
import { modal, textInput } from './parts/inputs.js';
import type { SchemaForm } from './parts/schema-fields.js';
import { schemaFormBlocks } from './parts/schema-form.js';
import { context, said, section } from './parts/text.js';

export interface EditForm {
  readonly executionId: string;
  /** First 8 hex digits of the digest of what is in the form. */
  readonly hash: string;
  readonly functionTitle: string;
  readonly callerName: string;
  readonly form: SchemaForm;
  /** Approvals that others gave so far. */
  readonly approvals: number;
  readonly quorum: number;
  /** The approver has to prove who she is besides. */
  readonly stepUp: SecondProof | null;
}

export const PROOF = 'proof';

export function editForm(edit: EditForm): View {
  const { executionId, hash, functionTitle, callerName, form, approvals, quorum } = edit;
  const others =
    approvals > 0
      ? ' Approvals given so far were for the old arguments and end.'
      : quorum > 1
        ? ` Yours is the first of ${quorum} approvals for them.`
        : '';
  return modal({
    title: 'Edit, then approve',
    callback: VIEWS.approvalEdit,
    submit: 'Approve changed',
    metadata: { execution: executionId, hash },
    blocks: [
      section(
        `*${said(functionTitle)}*, asked by *${said(callerName)}*. What stands here when you press *Approve changed* is what you approve.${others}`,
      ),
      ...schemaFormBlocks(form),
      ...(edit.stepUp === 'oidc'
        ? [
            context(
              ':lock: Then a link follows: you sign in with your company account, and with that it is approved.',
            ),
          ]
        : []),
      ...(edit.stepUp === 'totp'
        ? [
            textInput({
              block: PROOF,
              label: 'Your second proof',
              hint: 'Six digits',
              max: 6,
              placeholder: '123456',
            }),
          ]
        : []),
      context(`${said(callerName, 60)} is told what you changed. · ${executionId} · ${hash}`),
    ],
  });
}
