/** What conditions of a policy want to know about a call besides its arguments; looked up only where one asks. */
import type { ConnectionDocument, PolicyRule } from '../../models/types.js';
import { type Known, uses } from './conditions.js';
import type { Dependencies } from './dependencies.js';
import type { RoleService } from './roles.js';
import type { SettingsService } from './settings.js';

/** Anybody has an address there: it makes nobody a colleague. */
const PUBLIC_MAIL = new Set([
  'gmail.com',
  'googlemail.com',
  'outlook.com',
  'hotmail.com',
  'live.com',
  'msn.com',
  'yahoo.com',
  'icloud.com',
  'me.com',
  'aol.com',
  'gmx.de',
  'gmx.net',
  'web.de',
  'proton.me',
  'protonmail.com',
  'mail.ru',
  'qq.com',
  '163.com',
]);
const MOST_PEOPLE = 20;

type Concerned = Pick<ConnectionDocument, 'ownerId' | 'businessOwnerId'>;

export class CallFacts {
  constructor(
    private readonly deps: Pick<Dependencies, 'clock' | 'directory'>,
    private readonly settings: SettingsService,
    private readonly roles: RoleService,
  ) {}

  /** What cannot be looked up stays unknown: then the strictest rule that may hold is what counts. */
  async known(
    connection: Concerned,
    rules: readonly PolicyRule[],
    callerName: string,
    now: Date = this.deps.clock.now(),
  ): Promise<Known> {
    const asks = (...fields: string[]): boolean => rules.some(({ when }) => when && uses(when, ...fields));
    const [companyDomains, owner] = await Promise.all([
      asks('outside_recipients') ? this.companyDomains(connection).catch(() => null) : null,
      asks('hour', 'weekday') ? this.deps.directory.person(connection.ownerId).catch(() => null) : null,
    ]);
    return { now, callerName, companyDomains, timeZone: owner?.timeZone };
  }

  /** Null when nobody can tell. @throws DirectoryUnavailable */
  async companyDomains({ ownerId, businessOwnerId }: Concerned): Promise<readonly string[] | null> {
    const named = (await this.settings.get()).companyDomains ?? [];
    if (named.length > 0) return named.map((domain) => domain.toLowerCase());
    const ids = new Set([
      ownerId,
      ...(businessOwnerId ? [businessOwnerId] : []),
      ...(await this.roles.admins()),
    ]);
    const people = await Promise.all(
      [...ids].slice(0, MOST_PEOPLE).map((id) => this.deps.directory.person(id)),
    );
    const domains = people.flatMap((person) => {
      const domain =
        person?.active && !person.outsider ? person.email?.split('@')[1]?.toLowerCase() : undefined;
      return domain && !PUBLIC_MAIL.has(domain) ? [domain] : [];
    });
    return domains.length > 0 ? [...new Set(domains)] : null;
  }
}
