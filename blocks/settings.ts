/** `/connections settings`: roles, the approvals channel, retention. */
import type { View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { channelInput, checkbox, modal, numberInput, textInput, usersInput } from './parts/inputs.js';
import { actions, button, context, group, moment, person, said, section } from './parts/text.js';

export interface SettingsForm {
  readonly admins: readonly string[];
  readonly auditors: readonly string[];
  readonly approvalsChannel: string | null;
  readonly retentionDays: number;
  /** Mail domains of the company. */
  readonly companyDomains?: readonly string[];
  /** Named by the operator in the environment; not changed here. */
  readonly configured: {
    readonly admins: readonly string[];
    readonly adminGroup: string | null;
    readonly auditors: readonly string[];
    readonly auditorGroup: string | null;
  };
  /** One-person workspace: admins may decide about their own requests. */
  readonly soleOperator?: boolean;
  readonly pause: { readonly by: string; readonly at: Date; readonly reason: string } | null;
  readonly notice: string | null;
}

function configuredText(form: SettingsForm): string | null {
  const { admins, adminGroup, auditors, auditorGroup } = form.configured;
  const names = (users: readonly string[], userGroup: string | null): string =>
    [...users.map(person), ...(userGroup ? [group(userGroup)] : [])].join(', ');
  const parts = [
    ...(admins.length > 0 || adminGroup ? [`admins ${names(admins, adminGroup)}`] : []),
    ...(auditors.length > 0 || auditorGroup ? [`auditors ${names(auditors, auditorGroup)}`] : []),
  ];
  return parts.length === 0 ? null : `The operator’s configuration names besides: ${parts.join(' · ')}`;
}

export function settingsModal(form: SettingsForm): View {
  const configured = configuredText(form);
  const { pause, notice } = form;
  return modal({
    title: 'Settings',
    callback: VIEWS.settings,
    submit: 'Save',
    blocks: [
      ...(notice === null ? [] : [section(notice)]),
      ...(pause
        ? [
            section(
              `:double_vertical_bar: *Everything is paused* by ${person(pause.by)} since ${moment(pause.at)}: ${said(pause.reason, 300)}\n\`/connections resume all\` ends it.`,
            ),
          ]
        : []),
      usersInput({
        block: 'admins',
        label: 'Admins',
        optional: true,
        hint: 'Add connections and callers, set policies. They see no arguments or results.',
        initial: form.admins,
        max: 50,
      }),
      usersInput({
        block: 'auditors',
        label: 'Auditors',
        optional: true,
        hint: 'See arguments and results. Every look is recorded.',
        initial: form.auditors,
        max: 50,
      }),
      ...(configured === null ? [] : [context(configured)]),
      channelInput({
        block: 'approvals_channel',
        label: 'Approvals channel',
        optional: true,
        hint: 'New connections propose it as the place for their cards.',
        initial: form.approvalsChannel,
      }),
      actions([button('Send a test message', ACTIONS.settingsTestChannel, 'test')], 'test'),
      checkbox({
        block: 'sole_operator',
        label: 'Sole operator',
        hint: 'For a workspace with one person only. It stands on every card and in the audit.',
        choice: { value: 'yes', label: 'Admins may approve their own requests' },
        checked: form.soleOperator === true,
      }),
      textInput({
        block: 'domains',
        label: 'Mail domains of the company',
        optional: true,
        hint: 'For policies that ask about recipients outside. With commas between; empty: those of admins and owners.',
        initial: (form.companyDomains ?? []).join(', '),
        max: 1_000,
      }),
      numberInput({
        block: 'retention',
        label: 'Days that arguments and results are kept',
        hint: 'The record of each call stays; what was in it is dropped.',
        initial: form.retentionDays,
        min: 1,
        max: 3_650,
      }),
    ],
  });
}
