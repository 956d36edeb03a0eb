/** A caller's token, shown once: on the page behind a one-time link, and nowhere else. */
import type { CallerDocument, OneTimeLinkDocument } from '../../models/types.js';
import type { AuditService } from './audit.js';
import type { CallerService } from './callers.js';
import type { Dependencies } from './dependencies.js';
import type { LinkService } from './links.js';
import { activePerson, OneTimeRefusal, refusingPerson } from './one-time.js';
import type { RoleService } from './roles.js';

/** What the page behind the link says before the token is shown. */
export interface TokenPage {
  readonly caller: CallerDocument;
  /** Name of the Slack user the link was made for. */
  readonly person: string;
}

export class TokenRevealService {
  constructor(
    private readonly deps: Pick<Dependencies, 'directory'>,
    private readonly links: LinkService,
    private readonly callers: CallerService,
    private readonly roles: RoleService,
    private readonly audit: AuditService,
  ) {}

  /** Does not use the link up. @throws OneTimeRefusal | DirectoryUnavailable */
  async describe(token: string): Promise<TokenPage> {
    return this.pageOf(await this.links.require(token, 'caller_token'));
  }

  /** Uses the link up: the token is in this answer and in no other. @throws OneTimeRefusal | DirectoryUnavailable */
  async reveal(token: string): Promise<TokenPage & { readonly callerToken: string }> {
    const link = await this.links.require(token, 'caller_token');
    const page = await this.pageOf(link);
    const entry = {
      actor: { kind: 'user', id: link.userId } as const,
      action: 'caller.token_shown',
      subject: { kind: 'caller', id: page.caller._id },
    };
    const used = await this.audit.change(entry, (session) => this.links.use(token, 'caller_token', session));
    const callerToken = this.links.contentOf(used);
    if (callerToken === null) throw new OneTimeRefusal('used');
    return { ...page, callerToken };
  }

  private async pageOf(link: OneTimeLinkDocument): Promise<TokenPage> {
    const { name } = await activePerson(this.deps.directory, link.userId, 'decision');
    const caller = await this.callers.get(link.callerId ?? '');
    if (caller?.status !== 'active') throw new OneTimeRefusal('unknown', 'This caller was removed.');
    if (caller.ownerId !== link.userId) {
      await refusingPerson(() => this.roles.require(link.userId, 'admin'));
    }
    return { caller, person: name };
  }
}
