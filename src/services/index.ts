/** Every service, wired once. The edges (Slack, HTTP, jobs, operator) get this and nothing below it. */
import { type ConnectionDocument, SHARED, type Subject } from '../../models/types.js';
import { OAuthClient } from '../credentials/oauth-client.js';
import { ApprovalService } from './approvals.js';
import { AuditService } from './audit.js';
import { AuthorizationFlow } from './authorization-flow.js';
import { CallerService } from './callers.js';
import { ConnectionDrafts } from './connection-drafts.js';
import { ConnectionTest } from './connection-test.js';
import { ConnectionService } from './connections.js';
import { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { EligibilityService } from './eligibility.js';
import { ExecutionStore } from './execution-store.js';
import { ExecutionService } from './executions.js';
import { GrantedCredentials } from './granted-credentials.js';
import { LinkService } from './links.js';
import { MemberService } from './members.js';
import { OAuthStateStore } from './oauth-states.js';
import { OutboxService } from './outbox.js';
import { PayloadService } from './payloads.js';
import { RecoveryService } from './recovery.js';
import { RestImportService } from './rest-import.js';
import { RoleService } from './roles.js';
import { Runner } from './runner.js';
import { SecretEntryService } from './secret-entry.js';
import { SettingsService } from './settings.js';
import { SubmissionService } from './submission.js';
import { TokenRevealService } from './token-reveal.js';
import { TokenService } from './tokens.js';
import { UpstreamCalls } from './upstream-call.js';
import { WaitingCalls } from './waiting-calls.js';

export type Services = ReturnType<typeof createServices>;

export function createServices(deps: Dependencies) {
  const audit = new AuditService(deps);
  const settings = new SettingsService(deps, audit);
  const roles = new RoleService(deps, settings);
  const credentials = new CredentialService(deps);
  const callers = new CallerService(deps, audit);
  const links = new LinkService(deps);
  const outbox = new OutboxService(deps);
  const executionStore = new ExecutionStore(deps);
  const payloads = new PayloadService(deps);
  const eligibility = new EligibilityService(deps);
  const connections = new ConnectionService(deps, audit, roles, credentials);
  const members = new MemberService(deps, audit, credentials, outbox, executionStore);
  const approvals = new ApprovalService(deps, executionStore, outbox, eligibility, roles, audit, settings);
  const oauth = new OAuthClient(deps.outbound, deps.endpoints);

  const onNeedsReauth = async (connection: ConnectionDocument, subject: Subject): Promise<void> => {
    if (subject !== SHARED) {
      await members.ask(connection._id, subject, null);
      return;
    }
    await connections.noteUse(connection._id, { health: 'needs_reauth' });
    await outbox.notify(connection.ownerId, { kind: 'needs_reconnect', connectionKey: connection.key });
  };
  const tokens = new TokenService(deps, credentials, oauth, onNeedsReauth);
  const calls = new UpstreamCalls(deps, credentials);
  const runner = new Runner(deps, {
    executions: executionStore,
    payloads,
    approvals,
    eligibility,
    settings,
    callers,
    members,
    connections,
    credentials,
    tokens,
    calls,
    outbox,
  });
  const waiting = new WaitingCalls(
    deps,
    executionStore,
    payloads,
    approvals,
    members,
    credentials,
    connections,
  );
  const submissions = new SubmissionService(
    deps,
    executionStore,
    payloads,
    approvals,
    members,
    credentials,
    settings,
    runner,
    waiting,
    connections,
  );
  const executions = new ExecutionService(
    deps,
    executionStore,
    payloads,
    approvals,
    roles,
    connections,
    members,
    outbox,
    audit,
    runner,
  );
  const authorizationFlow = new AuthorizationFlow(deps, {
    states: new OAuthStateStore(deps),
    oauth,
    links,
    tokens,
    granted: new GrantedCredentials(deps, credentials, members, audit),
    connections,
    members,
    executions: executionStore,
    waiting,
    outbox,
    calls,
  });
  const secretEntry = new SecretEntryService(deps, {
    links,
    connections,
    credentials,
    members,
    roles,
    outbox,
    audit,
    oauth,
    flow: authorizationFlow,
  });
  const tokenReveal = new TokenRevealService(deps, links, callers, roles, audit);
  const recovery = new RecoveryService(deps, {
    executions: executionStore,
    approvals,
    waiting,
    members,
    runner,
    outbox,
  });

  const connectionDrafts = new ConnectionDrafts(deps);
  const connectionTest = new ConnectionTest(deps, submissions, executions, connections);
  const restImport = new RestImportService(deps);

  return {
    approvals,
    audit,
    authorizationFlow,
    callers,
    calls,
    connectionDrafts,
    connections,
    connectionTest,
    credentials,
    eligibility,
    executions,
    links,
    members,
    outbox,
    payloads,
    recovery,
    restImport,
    roles,
    runner,
    secretEntry,
    settings,
    submissions,
    tokenReveal,
    tokens,
  };
}
