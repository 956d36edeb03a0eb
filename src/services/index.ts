/** Every service, wired once. The edges (Slack, HTTP, jobs, operator) get this and nothing below it. */
import { SHARED } from '../../models/types.js';
import { OAuthClient } from '../credentials/oauth-client.js';
import { ApprovalService } from './approvals.js';
import { AttentionService } from './attention.js';
import { AuditService } from './audit.js';
import { AuthorizationFlow } from './authorization-flow.js';
import { CallFacts } from './call-facts.js';
import { CallLimits } from './call-limits.js';
import { CallerService } from './callers.js';
import { CardMarks } from './card-marks.js';
import { CardRepair } from './card-repair.js';
import { ClaimsInFlight } from './claims-in-flight.js';
import { ConnectionDrafts } from './connection-drafts.js';
import { ConnectionTest } from './connection-test.js';
import { ConnectionService } from './connections.js';
import { CredentialService } from './credentials.js';
import { DecisionService } from './decisions.js';
import { DefinitionReviewService } from './definition-review.js';
import { DelegationCards } from './delegation-cards.js';
import { DelegationService } from './delegations.js';
import type { Dependencies } from './dependencies.js';
import { DisconnectService } from './disconnect.js';
import { EditService } from './edits.js';
import { EligibilityService } from './eligibility.js';
import { Examiner } from './examination.js';
import { ExecutionStore } from './execution-store.js';
import { ExecutionService } from './executions.js';
import { FileService } from './files.js';
import { GrantedCredentials } from './granted-credentials.js';
import { GrantService } from './grants.js';
import { LinkService } from './links.js';
import { LoadReportService } from './load-report.js';
import { MemberService } from './members.js';
import { OAuthApps } from './oauth-apps.js';
import { OAuthStateStore } from './oauth-states.js';
import { OutboxService } from './outbox.js';
import { OutcomeService } from './outcomes.js';
import { PauseRecord } from './pause-record.js';
import { PausedAuthorizations } from './paused-authorizations.js';
import { PauseService } from './pauses.js';
import { PayloadService } from './payloads.js';
import { PendingPlaces } from './pending-places.js';
import { PersonCallers } from './person-callers.js';
import { PolicyPreview } from './policy-preview.js';
import { ProcessService } from './processes.js';
import { RecoveryService } from './recovery.js';
import { ReminderService } from './reminders.js';
import { RemovedConnections } from './removed-connections.js';
import { ReplacementService } from './replacements.js';
import { RestImportService } from './rest-import.js';
import { RoleService } from './roles.js';
import { Runner } from './runner.js';
import { ScopeService } from './scopes.js';
import { SecondFactorService } from './second-factors.js';
import { SecondLook } from './second-look.js';
import { SecretEntryService } from './secret-entry.js';
import { ServerSignInService } from './server-sign-in.js';
import { SettingsService } from './settings.js';
import { SignInService } from './sign-in.js';
import { SimulationService } from './simulation.js';
import { StepUpSignIns } from './step-up-sign-ins.js';
import { SubmissionService } from './submission.js';
import { TargetService } from './targets.js';
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
  const delegations = new DelegationService(deps, audit);
  const eligibility = new EligibilityService(deps, { settings, roles, delegations });
  const claims = new ClaimsInFlight();
  const processes = new ProcessService(deps, settings, claims);
  const connections = new ConnectionService(deps, audit, roles, credentials);
  const members = new MemberService(deps, audit, credentials, outbox, executionStore);
  const secondFactors = new SecondFactorService(deps, links, roles, outbox, audit);
  const approvals = new ApprovalService(deps, executionStore, outbox, eligibility, roles);
  const decisions = new DecisionService(deps, {
    approvals,
    executions: executionStore,
    connections,
    callers,
    eligibility,
    settings,
    proofs: secondFactors,
    outbox,
    audit,
  });
  const oauth = new OAuthClient(deps.outbound, deps.endpoints);

  const apps = new OAuthApps(oauth, credentials, deps.clock);
  const files = new FileService(deps);
  const scopes = new ScopeService(deps, members, outbox);

  const tokens = new TokenService(deps, credentials, oauth, apps, {
    needsReauth: async (connection, subject) => {
      if (subject !== SHARED) {
        await members.ask(connection._id, subject, null);
        return;
      }
      await connections.noteHealth(connection._id, 'needs_reauth');
      await outbox.notify(connection.ownerId, { kind: 'needs_reconnect', connectionKey: connection.key });
    },
    failing: (connection, failing) =>
      connections.noteHealth(connection._id, failing ? 'temporarily_failing' : 'ok'),
  });
  const calls = new UpstreamCalls(deps, credentials, files);
  const restImport = new RestImportService(deps);
  const serverSignIn = new ServerSignInService(deps, { apps, connections, credentials, restImport, audit });
  const signIns = new SignInService(deps, oauth, apps, credentials, tokens, calls, roles, (connection) =>
    serverSignIn.client({ kind: 'system', id: 'sign_in' }, connection),
  );
  const targets = new TargetService(deps, payloads, connections, tokens, calls);
  const facts = new CallFacts(deps, settings, roles);
  const grants = new GrantService(deps, {
    approvals,
    eligibility,
    executions: executionStore,
    payloads,
    roles,
    audit,
    facts,
  });
  const people = new PersonCallers(deps, connections, members, roles);
  const secondLook = new SecondLook(deps, {
    executions: executionStore,
    payloads,
    approvals,
    eligibility,
    settings,
    callers,
    people,
    members,
    credentials,
    grants,
    outbox,
    audit,
  });
  const runner = new Runner(deps, {
    secondLook,
    claims,
    targets,
    replacements: () => replacements,
    executions: executionStore,
    payloads,
    connections,
    tokens,
    calls,
    scopes,
    outbox,
  });
  const pauseRecord = new PauseRecord(deps, settings);
  const limits = new CallLimits(deps);
  const waiting = new WaitingCalls(
    deps,
    executionStore,
    payloads,
    approvals,
    members,
    credentials,
    connections,
    scopes,
    targets,
    facts,
    grants,
    pauseRecord,
    limits,
  );
  const replacements = new ReplacementService(
    deps,
    executionStore,
    payloads,
    approvals,
    connections,
    credentials,
    waiting,
    facts,
  );
  const examiner = new Examiner(deps, {
    executions: executionStore,
    connections,
    members,
    credentials,
    settings,
    files,
    facts,
    limits,
  });
  const submissions = new SubmissionService(
    deps,
    executionStore,
    payloads,
    approvals,
    members,
    settings,
    examiner,
    runner,
    waiting,
    connections,
    scopes,
    grants,
    claims,
    limits,
    new PendingPlaces(deps, executionStore),
  );
  const attention = new AttentionService(deps, approvals, eligibility, outbox, audit);
  const reminders = new ReminderService(deps, approvals, eligibility, outbox, audit);
  const pauses = new PauseService(
    deps,
    settings,
    connections,
    callers,
    approvals,
    processes,
    pauseRecord,
    new PausedAuthorizations(deps, executionStore, outbox),
  );
  const simulation = new SimulationService(examiner, approvals, eligibility, grants, scopes);
  const policyPreview = new PolicyPreview(deps, payloads, eligibility, facts);
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
    apps,
    signIns,
    credentials,
    roles,
    granted: new GrantedCredentials(deps, credentials, members, audit),
    connections,
    members,
    executions: executionStore,
    waiting,
    outbox,
  });
  const secretEntry = new SecretEntryService(deps, {
    links,
    connections,
    credentials,
    members,
    roles,
    outbox,
    audit,
    apps,
    signIns,
    flow: authorizationFlow,
  });
  const removed = new RemovedConnections(deps, approvals, executionStore, members);
  const disconnect = new DisconnectService(deps, {
    connections,
    members,
    credentials,
    apps,
    oauth,
    removed,
  });
  const tokenReveal = new TokenRevealService(deps, links, callers, roles, audit);
  const recovery = new RecoveryService(deps, {
    executions: executionStore,
    approvals,
    waiting,
    members,
    runner,
    outbox,
    replacements,
    removed,
  });
  const cardRepair = new CardRepair(deps, outbox);

  const outcomes = new OutcomeService(deps, {
    executions: executionStore,
    views: executions,
    payloads,
    connections,
    tokens,
    calls,
    replacements,
    outbox,
    audit,
  });
  const edits = new EditService(deps, {
    executions: executionStore,
    payloads,
    approvals,
    decisions,
    eligibility,
    connections,
    files,
    facts,
    targets,
    outbox,
    audit,
  });

  const stepUpSignIns = new StepUpSignIns(
    deps,
    { links, executions: executionStore, approvals, decisions, edits, outbox, audit },
    deps.companySignIn,
  );

  const cardMarks = new CardMarks(deps, payloads, facts);
  const loadReports = new LoadReportService(deps, settings, roles, outbox);
  const connectionDrafts = new ConnectionDrafts(deps);
  const connectionTest = new ConnectionTest(deps, submissions, executions, connections);
  const definitionReview = new DefinitionReviewService(deps, {
    connections,
    drafts: connectionDrafts,
    restImport,
    credentials,
    tokens,
    calls,
  });

  return {
    approvals,
    apps,
    attention,
    audit,
    authorizationFlow,
    callers,
    cardRepair,
    calls,
    cardMarks,
    connectionDrafts,
    connections,
    connectionTest,
    credentials,
    decisions,
    definitionReview,
    delegationCards: new DelegationCards(deps, eligibility, outbox),
    delegations,
    disconnect,
    edits,
    eligibility,
    executions,
    facts,
    files,
    grants,
    links,
    loadReports,
    members,
    outbox,
    outcomes,
    payloads,
    people,
    policyPreview,
    pauses,
    processes,
    recovery,
    reminders,
    restImport,
    roles,
    runner,
    secondFactors,
    secretEntry,
    serverSignIn,
    settings,
    signIns,
    simulation,
    stepUpSignIns,
    submissions,
    targets,
    tokenReveal,
    tokens,
  };
}
