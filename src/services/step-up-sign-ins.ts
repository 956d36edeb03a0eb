/**
 * Approving by signing in at the company's provider, where a rule asks for that on top of the click: a link for one
 * person and one request, a sign-in in the browser that opened it, and only then the decision. What she approves is in
 * the link, sealed: the request as the card showed it, and her changes where she edited it.
 */
import type { OneTimeLinkDocument } from '../../models/types.js';
import { sha256Hex } from '../canonical.js';
import type { Arguments } from '../connectors/framework.js';
import type { CompanySignIn, SignInChecks } from '../credentials/company-sign-in.js';
import { GrantRefused } from '../credentials/oauth-client.js';
import { AppError } from '../errors.js';
import { newLinkToken } from '../ids.js';
import type { ApprovalService } from './approvals.js';
import type { AuditService } from './audit.js';
import type { DecisionOutcome, DecisionService } from './decisions.js';
import type { Dependencies } from './dependencies.js';
import type { EditOutcome, EditService } from './edits.js';
import type { ExecutionStore } from './execution-store.js';
import type { LinkService } from './links.js';
import { matchesHash } from './oauth-states.js';
import { activePerson, OneTimeRefusal } from './one-time.js';
import type { OutboxService } from './outbox.js';

/** What is approved: the request under the digest that the person saw. */
export interface SignInFor {
  readonly executionId: string;
  /** First 8 hex digits of the digest. */
  readonly hash: string;
  /** What she made of the arguments; absent where she approves them as they were asked for. */
  readonly edit?: Arguments;
}

/** What the page before the sign-in says. */
export interface SignInPage {
  /** Name of the Slack user the link was made for. */
  readonly person: string;
  readonly functionTitle: string;
  readonly connectionKey: string;
  readonly callerName: string;
  readonly hash: string;
  readonly edited: boolean;
}

/** What came of it, for the page after the sign-in. */
export interface SignInEnd extends SignInPage {
  /** As `start` gave it: its cookie has done its work. */
  readonly flow: string;
  readonly outcome: EditOutcome;
}

interface UnderWay extends SignInFor, Omit<SignInChecks, 'state' | 'begunAt'> {
  readonly cookieHash: string;
  readonly begunAt: string;
}

/** Why nobody is believed: for the record, and for the person. */
interface Unproven {
  readonly why: string;
  readonly error: OneTimeRefusal;
}

export interface StepUpParts {
  readonly links: LinkService;
  readonly executions: ExecutionStore;
  readonly approvals: ApprovalService;
  readonly decisions: DecisionService;
  readonly edits: EditService;
  readonly outbox: OutboxService;
  readonly audit: AuditService;
}

export class StepUpSignIns {
  constructor(
    private readonly deps: Pick<Dependencies, 'publicUrl' | 'directory' | 'clock' | 'log'>,
    private readonly parts: StepUpParts,
    /** Null where the operator configured none: then no rule that asks for it can be answered. */
    private readonly company: CompanySignIn | null,
  ) {}

  get isConfigured(): boolean {
    return this.company !== null;
  }

  /** Of the provider's addresses, `https:` as a rule. @throws AppError `unavailable` where none is configured */
  get scheme(): string {
    return this.required().scheme;
  }

  /** The link for this person and this request: ten minutes, once. */
  offer(userId: string, request: SignInFor): Promise<string> {
    return this.parts.links.create({ purpose: 'step_up', userId, content: JSON.stringify(request) });
  }

  /** What a link is for; does not use it up. @throws OneTimeRefusal | DirectoryUnavailable */
  async look(token: string): Promise<SignInPage> {
    const link = await this.parts.links.require(token, 'step_up');
    return this.pageOf(link, this.contentOf<SignInFor>(link));
  }

  /**
   * Uses the link up. The browser is to keep `cookie` for this flow, and to go to `url`, at the provider.
   * @throws OneTimeRefusal | DirectoryUnavailable | AppError `unavailable`; the link stays when the provider is away
   */
  async start(token: string): Promise<{ flow: string; url: string; cookie: string }> {
    const { links } = this.parts;
    const company = this.required();
    const link = await links.require(token, 'step_up');
    const address = await this.addressOf(link.userId);
    const request = this.contentOf<SignInFor>(link);
    const checks = company.newChecks();
    const cookie = newLinkToken();
    const underWay: UnderWay = {
      ...request,
      ...checks,
      cookieHash: sha256Hex(cookie),
      begunAt: this.deps.clock.now().toISOString(),
    };
    const state = await links.issue({
      purpose: 'step_up_state',
      userId: link.userId,
      content: JSON.stringify(underWay),
    });
    const url = await company.authorizationUrl(this.redirectUri, { ...checks, state }, address);
    await links.use(token, 'step_up');
    return { flow: sha256Hex(state), url, cookie };
  }

  /**
   * The provider sent the browser back: checks who signed in, and records the decision. Works once.
   * @param callback the request's URL; only its query counts
   * @param cookieOf the browser's cookie for a flow
   * @throws OneTimeRefusal: nothing was decided · DirectoryUnavailable | AppError, as `EditService.submit` does
   */
  async arrive(callback: URL, cookieOf: (flow: string) => string | undefined): Promise<SignInEnd> {
    const { links, decisions, edits } = this.parts;
    const link = await links.use(callback.searchParams.get('state') ?? '', 'step_up_state');
    const underWay = this.contentOf<UnderWay>(link);
    const unproven = await this.whyUnproven(link, underWay, callback, cookieOf(link._id));
    if (unproven) {
      await this.noteRefusal(link, underWay, unproven.why);
      throw unproven.error;
    }
    // All that may fail comes before the decision: what is recorded must not end in a page that says otherwise.
    const page = await this.pageOf(link, underWay);
    const { executionId, hash, edit } = underWay;
    const click = { executionId, hash, userId: link.userId, signedIn: true } as const;
    const outcome = edit
      ? await edits.submit(click, edit)
      : await decisions.decide({ ...click, decision: 'approved', reason: null });
    await this.followUp(outcome);
    return { ...page, flow: link._id, outcome };
  }

  /** Whoever signed in has to be the person whose click this is, in the browser that began. Null: she is. */
  private async whyUnproven(
    { userId }: OneTimeLinkDocument,
    { cookieHash, begunAt, nonce, verifier }: UnderWay,
    callback: URL,
    cookie: string | undefined,
  ): Promise<Unproven | null> {
    if (!matchesHash(cookie, cookieHash)) {
      return { why: 'another browser came back', error: new OneTimeRefusal('browser', ANOTHER_BROWSER) };
    }
    // Behind a proxy the request's own URL differs; what counts is the redirect address that was registered.
    const registered = new URL(this.redirectUri);
    registered.search = callback.search;
    const state = callback.searchParams.get('state') ?? '';
    try {
      const address = await this.addressOf(userId);
      const checks = { state, nonce, verifier, begunAt: new Date(begunAt) };
      const { email } = await this.required().finish(registered, checks);
      if (folded(email) === folded(address)) return null;
      const another = `You signed in as ${email}, which is not your address in Slack. Nothing was approved.`;
      return { why: 'another account', error: new OneTimeRefusal('person', another) };
    } catch (error) {
      if (error instanceof OneTimeRefusal) return { why: 'not a person who may act', error };
      if (!(error instanceof GrantRefused)) throw error;
      const reason = error.reason === 'access_denied' ? 'declined' : 'provider';
      return { why: error.reason, error: new OneTimeRefusal(reason, NOT_SIGNED_IN) };
    }
  }

  /** It is decided; what comes after is repeated by sweepers where it fails. */
  private async followUp(outcome: EditOutcome): Promise<void> {
    if (outcome.kind !== 'recorded') return;
    const { approval } = outcome;
    const { approvals, outbox } = this.parts;
    const following =
      approval.status === 'pending'
        ? outbox.refresh('approval', approval.executionId)
        : approvals.settle(approval);
    await following.catch((error: unknown) => {
      this.deps.log.warn({ err: error, execution: approval.executionId }, 'decided, and not followed up yet');
    });
  }

  /** As every refused approval is. */
  private async noteRefusal(
    { userId }: OneTimeLinkDocument,
    { executionId }: SignInFor,
    why: string,
  ): Promise<void> {
    await this.parts.audit.record({
      actor: { kind: 'user', id: userId },
      action: 'approval.refused_click',
      subject: { kind: 'execution', id: executionId },
      details: { decision: 'approved', reason: `second proof: ${why}` },
    });
  }

  /** What a sign-in is compared with. @throws OneTimeRefusal | DirectoryUnavailable */
  private async addressOf(userId: string): Promise<string> {
    const { email } = await activePerson(this.deps.directory, userId, 'decision');
    if (!email) throw new OneTimeRefusal('person', NO_ADDRESS);
    return email;
  }

  private async pageOf({ userId }: OneTimeLinkDocument, request: SignInFor): Promise<SignInPage> {
    const { name } = await activePerson(this.deps.directory, userId, 'display');
    const execution = await this.parts.executions.get(request.executionId);
    if (!execution) throw new OneTimeRefusal('unknown', 'That request does not exist any more.');
    const { functionTitle, connectionKey, callerName } = execution;
    const edited = request.edit !== undefined;
    return { person: name, functionTitle, connectionKey, callerName, hash: request.hash, edited };
  }

  /** A link that was used up holds nothing any more. */
  private contentOf<T extends SignInFor>(link: OneTimeLinkDocument): T {
    const content = this.parts.links.contentOf(link);
    if (content === null) throw new OneTimeRefusal('used');
    return JSON.parse(content) as T;
  }

  private required(): CompanySignIn {
    if (this.company) return this.company;
    throw new AppError('unavailable', NOT_CONFIGURED);
  }

  private get redirectUri(): string {
    return `${this.deps.publicUrl}/step-up/callback`;
  }
}

/** What a page says when the decision itself was not taken. Null: it was recorded. */
export function whyNot(outcome: EditOutcome): string | null {
  if (outcome.kind === 'invalid') return outcome.issues.map(({ message }) => message).join(' ');
  if (outcome.kind === 'refused') return outcome.reason;
  return outcome.kind === 'too_late' ? lateWords(outcome) : null;
}

function lateWords({ approval }: DecisionOutcome & { kind: 'too_late' }): string {
  return `Too late: the request is ${approval.status} already. Its card in Slack shows how that came.`;
}

/** Of ASCII letters alone: U+212A is no `k` of an address, though Unicode folds it to one. */
const folded = (address: string): string => address.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

export const NOT_CONFIGURED =
  'The sign-in that this approval asks for is not configured. Tell an admin: STEP_UP_OIDC_ISSUER and its client are set where the app runs.';
const NO_ADDRESS =
  'Slack does not tell your e-mail address, so a sign-in cannot show that it is you. Tell an admin.';
const ANOTHER_BROWSER =
  'This was started in another browser, so nothing was approved. Press Approve in Slack again, and open the link in one and the same.';
const NOT_SIGNED_IN =
  'The sign-in did not come back as it has to, so nothing was approved. Press Approve in Slack again.';
