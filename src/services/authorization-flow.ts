/**
 * From a link in a DM to a stored authorization. Three steps, each bound to the one before: the start page sets a
 * cookie; the provider sends the same browser back with our `state`; and the code that we then show in Slack proves
 * that the person in the browser is the Slack user the link was made for. No authorization exists before all three
 * hold, and whatever does not hold ends the flow and is told to that user (shared/RELIABILITY.md, abuse 58).
 */
import { type ConnectionDocument, type OAuthStateDocument, SHARED } from '../../models/types.js';
import type { OAuthProvider } from '../connectors/framework.js';
import { GrantRefused, type OAuthClient } from '../credentials/oauth-client.js';
import { AppError } from '../errors.js';
import type { ConnectionService } from './connections.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import type { Freshness } from './directory.js';
import type { ExecutionStore } from './execution-store.js';
import { neededScopes } from './functions.js';
import { furtherHash, furtherNames } from './further-approvers.js';
import type { GrantedCredentials } from './granted-credentials.js';
import type { LinkService } from './links.js';
import type { MemberService } from './members.js';
import { type OAuthApps, redirectUriOf } from './oauth-apps.js';
import { CODE_TRIES, matchesHash, type OAuthStateStore } from './oauth-states.js';
import { activePerson, OneTimeRefusal, refusingPerson } from './one-time.js';
import type { OutboxService } from './outbox.js';
import type { RoleService } from './roles.js';
import type { ScopeNeed, SignInService } from './sign-in.js';
import type { WaitingCalls } from './waiting-calls.js';

/** What the start page shows before anything happens. */
export interface StartPage {
  readonly connection: ConnectionDocument;
  /** Name of the Slack user the link was made for. */
  readonly person: string;
  readonly provider: OAuthProvider;
  readonly scopes: readonly ScopeNeed[];
}

/** What the page after the provider shows. */
export interface Arrived {
  /** Names the flow in the form that follows; works only with the cookie. */
  readonly flow: string;
  readonly connection: ConnectionDocument;
  readonly person: string;
  readonly account: string;
  /** Callers that wait to act for her; ticked by herself or not at all. */
  readonly callers: readonly { readonly id: string; readonly name: string }[];
  /** Of each list of further approvers, its people by name; empty where none is required. */
  readonly further: readonly (readonly string[])[];
  /** Names those; comes back with her answer. */
  readonly furtherHash: string | null;
  /** Needed, and not granted. */
  readonly missing: readonly ScopeNeed[];
  /** Connected before, and another one; null where there was none, or it is the same. */
  readonly replaces: string | null;
  /** Only an admin may let a connection act as another account than before. */
  readonly mayReplace: boolean;
}

/** What the person in the browser says about it. */
export interface Answers {
  readonly code: string;
  /** Ids of the callers she ticked; others than the waiting ones are ignored. */
  readonly allowed: readonly string[];
  readonly replace: boolean;
  /** Of the further approvers that the page told her of. */
  readonly furtherHash: string | null;
}

export interface Connected {
  readonly connection: ConnectionDocument;
  readonly account: string;
  /** Names of the callers that may now act for her. */
  readonly allowed: readonly string[];
}

export interface FlowParts {
  readonly states: OAuthStateStore;
  readonly oauth: OAuthClient;
  readonly links: LinkService;
  readonly apps: OAuthApps;
  readonly signIns: SignInService;
  readonly credentials: CredentialService;
  readonly roles: RoleService;
  readonly granted: GrantedCredentials;
  readonly connections: ConnectionService;
  readonly members: MemberService;
  readonly executions: ExecutionStore;
  readonly waiting: WaitingCalls;
  readonly outbox: OutboxService;
}

const UNTOLD = 'Nothing here tells whose account this connection had, so an admin has to connect it again.';

export class AuthorizationFlow {
  constructor(
    private readonly deps: Pick<Dependencies, 'publicUrl' | 'directory' | 'log'>,
    private readonly parts: FlowParts,
  ) {}

  /**
   * Whom and what a start link is for; does not use it up.
   * @throws OneTimeRefusal | DirectoryUnavailable; AppError `unavailable` when no OAuth client was entered yet
   */
  async look(token: string): Promise<StartPage> {
    const link = await this.parts.links.require(token, 'oauth');
    const connection = await this.connection(link.connectionId ?? '');
    const person = await this.authorise(link.userId, connection, 'display');
    const { provider } = await this.parts.signIns.of(connection, true);
    return { connection, person, provider, scopes: await this.parts.signIns.scopeNeeds(connection) };
  }

  /**
   * Uses the link up. The browser is to keep `cookie` for this flow and to go to `url`, at the provider.
   * @throws as `look`
   */
  async start(token: string): Promise<{ flow: string; url: string; cookie: string }> {
    const { userId, connectionId } = await this.parts.links.require(token, 'oauth');
    const connection = await this.connection(connectionId ?? '');
    await this.authorise(userId, connection, 'decision');
    const { connector, provider, app } = await this.parts.signIns.of(connection, true);
    await this.parts.links.use(token, 'oauth');
    const verifier = this.parts.oauth.newVerifier();
    const { id, state, cookie } = await this.parts.states.begin({
      userId,
      connectionId: connection._id,
      subject: connection.identity === 'private' ? userId : SHARED,
      provider: provider.id,
      verifier,
    });
    const { redirectUri } = this;
    const scopes = neededScopes(connector, connection);
    const url = await this.parts.oauth.authorizationUrl(provider, app, {
      redirectUri,
      scopes,
      state,
      verifier,
    });
    return { flow: id, url, cookie };
  }

  /**
   * The provider sent the browser back. The state is used up whatever follows.
   * @param callback the request's URL; only its query counts
   * @param cookieOf the browser's cookie for a flow
   * @returns the flow, for `review`
   * @throws OneTimeRefusal: nothing was stored, and the Slack user is told
   */
  async arrive(callback: URL, cookieOf: (flow: string) => string | undefined): Promise<string> {
    const state = callback.searchParams.get('state') ?? '';
    const flow = await this.parts.states.takeState(state);
    if (!flow) throw await this.lateArrival(state, cookieOf);
    if (!matchesHash(cookieOf(flow._id), flow.cookieHash)) {
      await this.giveUp(flow, 'another browser came back with your sign-in');
      throw new OneTimeRefusal('browser');
    }
    try {
      await this.exchange(flow, callback, state);
      return flow._id;
    } catch (error) {
      const declined = error instanceof GrantRefused && error.reason === 'access_denied';
      const reason = error instanceof Error ? error.message : 'unknown';
      this.deps.log.warn({ reason, connection: flow.connectionId }, 'authorization not completed');
      await this.giveUp(flow, declined ? 'you did not allow it' : 'the sign-in service refused it');
      if (error instanceof OneTimeRefusal) throw error;
      throw new OneTimeRefusal(declined ? 'declined' : 'provider');
    }
  }

  /** What arrived, for the browser that started the flow. @throws OneTimeRefusal */
  async review(flowId: string, cookie: string | undefined): Promise<Arrived> {
    const flow = await this.parts.states.find(flowId);
    if (!flow) throw new OneTimeRefusal('unknown');
    if (!matchesHash(cookie, flow.cookieHash)) throw new OneTimeRefusal('browser');
    if (flow.status !== 'returned' || flow.account === null) throw new OneTimeRefusal('used');
    if (this.parts.states.isOver(flow)) throw new OneTimeRefusal('expired');
    const connection = await this.connection(flow.connectionId);
    const replaces = await this.replaced(flow, connection);
    return {
      flow: flow._id,
      connection,
      person: await this.authorise(flow.userId, connection, 'display'),
      account: flow.account,
      callers: await this.waitingCallers(flow),
      further: await furtherNames(connection, flow.userId, this.deps.directory),
      furtherHash: furtherHash(connection),
      missing: await this.parts.signIns.missing(connection, flow.scopes),
      replaces,
      mayReplace: replaces !== null && (await this.parts.roles.of(flow.userId)).admin,
    };
  }

  /**
   * The code from Slack, typed into the same browser. Stores everything at once and lets waiting calls go on.
   * @throws OneTimeRefusal | DirectoryUnavailable; AppError `invalid_arguments` (path `/code`) for a wrong code,
   *   (path `/replace`) for another account than before that an admin has not confirmed
   */
  async finish(flowId: string, cookie: string | undefined, answers: Answers): Promise<Connected> {
    const { code, allowed } = answers;
    const flow = await this.parts.states.takeTry(flowId, cookie);
    if (!flow) throw await this.refusedFinish(flowId, cookie);
    if (!matchesHash(code.replace(/\s/g, ''), flow.codeHash ?? '')) throw await this.wrongCode(flow);
    const connection = await this.connection(flow.connectionId);
    await this.authorise(flow.userId, connection, 'decision');
    await this.checkAccount(flow, connection, answers.replace);
    const callers = (await this.waitingCallers(flow)).filter((caller) => allowed.includes(caller.id));
    const callerIds = callers.map((caller) => caller.id);
    const { tokens } = this.parts.states.secretsOf(flow);
    if (!tokens || flow.account === null || !(await this.parts.states.end(flow, 'finished'))) {
      throw new OneTimeRefusal('used');
    }
    const account = flow.account;
    try {
      await this.parts.granted.store(
        { ...flow, account },
        connection,
        tokens,
        callerIds,
        answers.furtherHash,
      );
    } catch (error) {
      await this.tell(flow, 'it could not be stored');
      throw error;
    }
    await this.followUp(flow, connection);
    return { connection, account, allowed: callers.map((caller) => caller.name) };
  }

  /** What the code's DM shows. Null once there is no such flow; without a code once there is none to show. */
  async codeOf(flowId: string): Promise<{ flow: OAuthStateDocument; code: string | null } | null> {
    const flow = await this.parts.states.find(flowId);
    if (!flow) return null;
    const live = flow.status === 'returned' && !this.parts.states.isOver(flow);
    return { flow, code: live ? (this.parts.states.secretsOf(flow).code ?? null) : null };
  }

  /** Calls that waited for this member and connection go on by themselves. */
  async resume(memberId: string, connectionId: string): Promise<void> {
    for (const waiting of await this.parts.executions.waitingFor(memberId, connectionId)) {
      await this.parts.waiting.resume(waiting);
    }
  }

  private get redirectUri(): string {
    return redirectUriOf(this.deps.publicUrl);
  }

  /** Checked at every step: who left, or lost the role, since the link was made, connects nothing. */
  private async authorise(
    userId: string,
    connection: ConnectionDocument,
    freshness: Freshness,
  ): Promise<string> {
    const { name } = await activePerson(this.deps.directory, userId, freshness);
    if (connection.identity === 'shared') {
      await refusingPerson(() => this.parts.connections.managed(userId, connection._id, true));
      if (!(await this.parts.signIns.mayReconnect(connection, userId)))
        throw new OneTimeRefusal('person', UNTOLD);
    }
    return name;
  }

  private async exchange(flow: OAuthStateDocument, callback: URL, state: string): Promise<void> {
    const connection = await this.connection(flow.connectionId);
    const { connector, provider, app } = await this.parts.signIns.of(connection);
    // Behind a proxy the request's own URL differs; what counts is the redirect URI that was registered.
    const registered = new URL(this.redirectUri);
    registered.search = callback.search;
    const { verifier } = this.parts.states.secretsOf(flow);
    const tokens = await this.parts.oauth
      .exchange(provider, app, registered, { state, verifier })
      .catch(async (error: unknown) => {
        await this.parts.apps.noteRefusal(provider, connection, app, error);
        throw error;
      });
    const account = await this.parts.signIns.accountBehind(connection, tokens.accessToken, flow.userId);
    // RFC 6749, 5.1: an answer without scopes means that all were granted.
    const scopes = tokens.scopes.length > 0 ? tokens.scopes : neededScopes(connector, connection);
    if (!(await this.parts.states.keep(flow, { account, scopes, tokens }))) throw new OneTimeRefusal('used');
    await this.parts.outbox.show('oauth_code', flow._id, flow.userId, flow.expiresAt);
  }

  /** The account that was connected until now, if it is another one than the one that came back. */
  private async replaced(flow: OAuthStateDocument, connection: ConnectionDocument): Promise<string | null> {
    const before = await this.parts.credentials.find(connection._id, flow.subject);
    const known = before?.account ?? null;
    return known === null || known.toLowerCase() === flow.account?.toLowerCase() ? null : known;
  }

  /** Reconnecting must not quietly make a connection act as somebody else. */
  private async checkAccount(
    flow: OAuthStateDocument,
    connection: ConnectionDocument,
    confirmed: boolean,
  ): Promise<void> {
    const before = await this.replaced(flow, connection);
    if (before === null) return;
    const { admin } = await this.parts.roles.of(flow.userId);
    if (admin && confirmed) return;
    const message = admin
      ? `Until now this was ${before}. Confirm that it shall act as ${flow.account} from now on.`
      : `Until now this was ${before}. Sign in with that account, or ask an admin to confirm another one.`;
    throw new AppError('invalid_arguments', message, { path: '/replace' });
  }

  private async waitingCallers(flow: OAuthStateDocument): Promise<Arrived['callers']> {
    if (flow.subject === SHARED) return [];
    const waiting = await this.parts.executions.waitingFor(flow.userId, flow.connectionId);
    const names = new Map(waiting.map((execution) => [execution.callerId, execution.callerName]));
    return [...names].map(([id, name]) => ({ id, name }));
  }

  /** It is stored; what comes after may fail without making that untrue, and sweepers repeat it. */
  private async followUp(flow: OAuthStateDocument, connection: ConnectionDocument): Promise<void> {
    try {
      await this.parts.outbox.refresh('oauth_code', flow._id);
      if (flow.subject === SHARED) {
        await this.parts.connections.noteUse(connection._id, { health: 'ok' });
        await this.parts.connections.refreshStatus(connection._id);
      }
      await this.parts.members.refreshDms(connection._id, flow.userId);
      await this.resume(flow.userId, connection._id);
    } catch (error) {
      this.deps.log.warn(
        { err: error, connection: connection._id },
        'connected; what follows was not all done',
      );
    }
  }

  /** A state that is not open. Foreign ones are nobody's; of others the Slack user is told, once. */
  private async lateArrival(
    state: string,
    cookieOf: (flow: string) => string | undefined,
  ): Promise<OneTimeRefusal> {
    const flow = await this.parts.states.findByState(state);
    if (!flow)
      return new OneTimeRefusal(
        'unknown',
        'This sign-in was not started here. Open the link from your Slack DM.',
      );
    if (flow.status === 'started') {
      await this.giveUp(flow, 'it took longer than ten minutes');
      return new OneTimeRefusal('expired');
    }
    if (flow.status === 'returned' && !matchesHash(cookieOf(flow._id), flow.cookieHash)) {
      await this.giveUp(flow, 'another browser came back with your sign-in');
    }
    return new OneTimeRefusal('used', 'This sign-in was used already. Ask for a new link in Slack.');
  }

  private async refusedFinish(flowId: string, cookie: string | undefined): Promise<OneTimeRefusal> {
    const flow = await this.parts.states.find(flowId);
    if (!flow) return new OneTimeRefusal('unknown');
    if (flow.status === 'finished' || flow.status === 'refused') return new OneTimeRefusal('used');
    if (!matchesHash(cookie, flow.cookieHash)) {
      await this.giveUp(flow, 'another browser tried to finish your sign-in');
      return new OneTimeRefusal('browser');
    }
    return new OneTimeRefusal(this.parts.states.isOver(flow) ? 'expired' : 'used');
  }

  private async wrongCode(flow: OAuthStateDocument): Promise<AppError> {
    const left = CODE_TRIES - flow.attempts;
    if (left > 0) {
      const tries = left === 1 ? 'one try is left' : `${left} tries are left`;
      const message = `That is not the code from your Slack DM; ${tries}.`;
      return new AppError('invalid_arguments', message, { path: '/code' });
    }
    await this.giveUp(flow, `the code was wrong ${CODE_TRIES} times`);
    return new OneTimeRefusal('used', 'The code was wrong five times. Ask for a new link in Slack.');
  }

  /** Ends a flow that must not go on, and tells whom it was for. */
  private async giveUp(flow: OAuthStateDocument, reason: string): Promise<void> {
    if (!(await this.parts.states.end(flow, 'refused'))) return;
    await this.parts.outbox.refresh('oauth_code', flow._id);
    await this.tell(flow, reason);
  }

  private async tell(flow: OAuthStateDocument, reason: string): Promise<void> {
    const connection = await this.parts.connections.find(flow.connectionId);
    await this.parts.outbox.notify(flow.userId, {
      kind: 'connecting_failed',
      connectionKey: connection?.key ?? null,
      reason,
    });
  }

  private async connection(id: string): Promise<ConnectionDocument> {
    const found = await this.parts.connections.find(id);
    if (!found) throw new OneTimeRefusal('unknown', 'The connection was removed.');
    return found;
  }
}
