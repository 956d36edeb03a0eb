/** `/connections settings`. */
import type { View } from '@slack/types';
import { channel, explained } from '../../../../blocks/parts/text.js';
import { settingsModal } from '../../../../blocks/settings.js';
import { AppError } from '../../../errors.js';
import { requireMembers } from '../../../services/people.js';
import { explain, type Register, type SlackEdge, sentenceModal } from '../../edge.js';
import { type Answer, type Click, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, type Trigger, updateView } from '../../modal.js';
import { postTestLine } from '../../route-test.js';
import { FormState } from '../../view-state.js';

const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

interface Entered {
  readonly admins: string[];
  readonly auditors: string[];
  readonly approvalsChannel: string | null;
  readonly retentionDays: number;
  readonly companyDomains: string[];
  readonly soleOperator: boolean;
}

async function settingsView(
  edge: SlackEdge,
  userId: string,
  entered: Entered | null = null,
  notice: string | null = null,
): Promise<View> {
  await edge.services.roles.require(userId, 'admin');
  const current = await edge.services.settings.get();
  const { admins, auditors, approvalsChannel, retentionDays, soleOperator } = entered ?? current;
  return settingsModal({
    admins,
    auditors,
    approvalsChannel,
    retentionDays,
    companyDomains: (entered ?? current).companyDomains ?? [],
    soleOperator: soleOperator === true,
    configured: edge.deps.configuredRoles,
    pause: current.paused,
    notice,
  });
}

export async function openSettings(edge: SlackEdge, trigger: Trigger, userId: string): Promise<void> {
  await showModal(edge, trigger, 'Settings', () => settingsView(edge, userId));
}

function enteredIn(form: FormState): Entered {
  return {
    admins: form.users('admins'),
    auditors: form.users('auditors'),
    approvalsChannel: form.channel('approvals_channel'),
    retentionDays: form.number('retention'),
    companyDomains: domainsIn(form.text('domains')),
    soleOperator: form.choices('sole_operator').length > 0,
  };
}

function domainsIn(text: string): string[] {
  const typed = text.split(/[\s,;]+/).filter((each) => each !== '');
  return [...new Set(typed.map((each) => each.toLowerCase().replace(/^@/, '')))];
}

async function submitSettings(edge: SlackEdge, { userId, form }: Submission): Promise<Answer> {
  const { roles, settings } = edge.services;
  await roles.require(userId, 'admin');
  const entered = enteredIn(form);
  const before = await settings.get();
  if (
    !Number.isInteger(entered.retentionDays) ||
    entered.retentionDays < 1 ||
    entered.retentionDays > 3_650
  ) {
    throw new AppError('invalid_arguments', 'Give whole days, 1 to 3650 (ten years).', {
      path: '/retention',
    });
  }
  const wrong = entered.companyDomains.find((each) => !DOMAIN.test(each));
  if (wrong !== undefined || entered.companyDomains.length > 50) {
    const message =
      wrong === undefined ? 'At most 50 domains.' : `“${wrong}” is no domain, such as corp.example.`;
    throw new AppError('invalid_arguments', message, { path: '/domains' });
  }
  await requireMembers(edge.deps.directory, entered.admins, '/admins');
  await requireMembers(edge.deps.directory, entered.auditors, '/auditors');
  const { approvalsChannel } = entered;
  if (approvalsChannel !== null && approvalsChannel !== before.approvalsChannel) {
    await postTestLine(edge, approvalsChannel, LINE, '/approvals_channel');
  }
  const done = entered.admins.length > 0 && approvalsChannel !== null;
  const setupDoneAt = before.setupDoneAt ?? (done ? edge.deps.clock.now() : null);
  await settings.change({ kind: 'user', id: userId }, { ...entered, setupDoneAt });
  return {
    show: {
      response_action: 'update',
      view: sentenceModal('Settings', ':white_check_mark: The settings are saved. They hold from now on.'),
    },
  };
}

const LINE =
  'This is the approvals channel now: new connections propose it for their approval requests. Everybody here sees their arguments.';

async function sendTest(edge: SlackEdge, { userId, body }: Click): Promise<void> {
  const { view } = body;
  if (!view) return;
  await edge.services.roles.require(userId, 'admin');
  const entered = enteredIn(new FormState(view));
  const retentionDays = Number.isInteger(entered.retentionDays) ? entered.retentionDays : 90;
  const notice = await tryChannel(edge, userId, entered.approvalsChannel).catch((error: unknown) =>
    explained(explain(error, edge.log)),
  );
  await updateView(edge, view.id, await settingsView(edge, userId, { ...entered, retentionDays }, notice));
}

async function tryChannel(edge: SlackEdge, userId: string, id: string | null): Promise<string> {
  if (id === null) return 'Choose a channel first, then send the test.';
  const text = `This is a test by <@${userId}>: approval requests can be posted here.`;
  await postTestLine(edge, id, text, '/approvals_channel');
  return `:white_check_mark: A test message is in ${channel(id)}.`;
}

export const registerSettings: Register = (edge) => {
  onClick(edge, ACTIONS.settingsOpen, (click) => openSettings(edge, click, click.userId));
  onClick(edge, ACTIONS.settingsTestChannel, (click) => sendTest(edge, click));
  onSubmit(edge, VIEWS.settings, 'retention', (submission) => submitSettings(edge, submission));
};
