/**
 * What is refused in Slack is on record as one audit event: who, what, why. Who does what is known to everything that a
 * payload sets off, so a refusal is noted wherever it becomes words.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AllMiddlewareArgs, AnyMiddlewareArgs, Middleware } from '@slack/bolt';
import type { Actor } from '../../models/types.js';
import type { AppError } from '../errors.js';
import type { Logger } from '../log.js';
import type { AuditEntry, AuditService } from '../services/audit.js';

type Body = Readonly<Record<string, unknown>>;
type Noting = (reason: string, subject?: AuditEntry['subject']) => Promise<void>;

const attempts = new AsyncLocalStorage<Noting>();

/**
 * Notes that what a person is doing was refused; the first refusal of a payload counts. Never throws: nothing happened,
 * and she is told in any case. @param subject what she reached for, where that is more than a button
 */
export async function noteRefusal(reason: string, subject?: AuditEntry['subject']): Promise<void> {
  await attempts.getStore()?.(reason, subject);
}

/** As `noteRefusal`, for an error that says "you may not" and is not on record yet. */
export async function noteRefused(error: AppError): Promise<void> {
  const { code, refusal, message } = error;
  if (refusal === 'hidden' || (code === 'forbidden' && refusal === undefined)) await noteRefusal(message);
}

export class SlackRefusals {
  constructor(
    private readonly audit: Pick<AuditService, 'record'>,
    private readonly log: Logger,
  ) {}

  /** Lets payloads of this workspace through, and knows of each who does what; those of another end here. */
  gate(workspaceId: string): Middleware<AnyMiddlewareArgs> {
    return async ({ body, next }: AllMiddlewareArgs & AnyMiddlewareArgs): Promise<void> => {
      const payload = { ...body } as Body;
      const from = teamsOf(payload).find((team) => team !== workspaceId);
      if (from !== undefined) {
        this.log.error({ team: from }, 'payload of another workspace refused');
        await this.note(payload, 'slack.foreign_payload', { team: from });
        return;
      }
      let noted = false;
      const noting: Noting = async (reason, subject) => {
        if (noted) return;
        noted = true;
        await this.note(payload, 'slack.refused', { what: whatOf(payload), reason }, subject);
      };
      await attempts.run(noting, next);
    };
  }

  /** A payload named an address that is not Slack's; it is not called. */
  async foreignAddress(payload: Body): Promise<void> {
    this.log.error({ what: whatOf(payload) }, 'response_url dropped: it does not lead to Slack');
    await this.note(payload, 'slack.foreign_address', {});
  }

  private async note(
    payload: Body,
    action: string,
    details: Record<string, unknown>,
    subject: AuditEntry['subject'] = subjectOf(payload),
  ): Promise<void> {
    await this.audit.record({ actor: actorOf(payload), action, subject, details }).catch((error: unknown) => {
      this.log.error({ err: error, action }, 'refusal not recorded');
    });
  }
}

/** Payloads name their workspace in one way or another; where none is named, that of the person counts. */
function teamsOf(payload: Body): readonly string[] {
  const named = [text(payload.team_id), text(inner(payload.team).id)].filter((team) => team !== undefined);
  const hers = text(inner(payload.user).team_id);
  return named.length > 0 || hers === undefined ? named : [hers];
}

/** Whom Slack signed for, as the handlers read it: other fields of a payload name nobody. */
function actorOf(payload: Body): Actor {
  const isCommand = payload.command !== undefined;
  const id = isCommand
    ? text(payload.user_id)
    : (text(inner(payload.user).id) ?? text(inner(payload.event).user));
  return id === undefined ? { kind: 'system', id: 'slack' } : { kind: 'user', id };
}

/** The id of the button, view, shortcut or event; of a command its first word besides, which is never a secret. */
function whatOf(payload: Body): string {
  const command = text(payload.command);
  if (command !== undefined) {
    const [verb = ''] = (text(payload.text) ?? '').trim().split(/\s+/);
    return /^[a-z-]{1,20}$/.test(verb) ? `${command} ${verb}` : command;
  }
  const [action] = Array.isArray(payload.actions) ? payload.actions : [];
  return (
    text(inner(action).action_id) ??
    text(payload.action_id) ??
    text(payload.callback_id) ??
    text(inner(payload.view).callback_id) ??
    text(inner(payload.event).type) ??
    text(payload.type) ??
    'payload'
  );
}

/** The one execution that a button or form names, otherwise the button or form itself. */
function subjectOf(payload: Body): AuditEntry['subject'] {
  const [action] = Array.isArray(payload.actions) ? payload.actions : [];
  const named = text(inner(action).value) ?? text(inner(payload.view).private_metadata) ?? '';
  const [id, another] = new Set(named.match(/ex_[a-z0-9]{20}/g));
  return id !== undefined && another === undefined
    ? { kind: 'execution', id }
    : { kind: 'slack', id: whatOf(payload) };
}

function inner(value: unknown): Body {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Ids are short; what is longer is none. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 255) : undefined;
}
