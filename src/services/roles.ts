import { AppError } from '../errors.js';
import type { Dependencies } from './dependencies.js';
import type { SettingsService } from './settings.js';

export interface Roles {
  readonly admin: boolean;
  readonly auditor: boolean;
}

/** Who is admin and who is auditor. The one place that decides it. */
export class RoleService {
  constructor(
    private readonly deps: Pick<Dependencies, 'directory' | 'configuredRoles'>,
    private readonly settings: SettingsService,
  ) {}

  /** Nobody is named anywhere yet: workspace owners may set up. */
  async of(userId: string): Promise<Roles> {
    const settings = await this.settings.get();
    const { admins, adminGroup, auditors, auditorGroup } = this.deps.configuredRoles;
    const named = [...admins, ...settings.admins];
    const admin =
      named.includes(userId) ||
      (await this.inGroup(adminGroup, userId)) ||
      (named.length === 0 && adminGroup === null && (await this.isWorkspaceOwner(userId)));
    const auditor =
      auditors.includes(userId) ||
      settings.auditors.includes(userId) ||
      (await this.inGroup(auditorGroup, userId));
    return { admin, auditor };
  }

  /** Ids of everybody who is admin, to be told when something needs one. */
  async admins(): Promise<readonly string[]> {
    const settings = await this.settings.get();
    const { admins, adminGroup } = this.deps.configuredRoles;
    const group = adminGroup ? await this.deps.directory.groupMembers(adminGroup) : [];
    return [...new Set([...admins, ...settings.admins, ...group])];
  }

  /** @throws AppError `forbidden`, naming the role and who has it. */
  async require(userId: string, role: 'admin' | 'auditor'): Promise<void> {
    const roles = await this.of(userId);
    if (roles[role]) return;
    const settings = await this.settings.get();
    const holders =
      role === 'admin' ? await this.admins() : [...this.deps.configuredRoles.auditors, ...settings.auditors];
    const who = holders.length > 0 ? ` ${holders.map((id) => `<@${id}>`).join(', ')} can.` : '';
    throw new AppError('forbidden', `That needs the role of ${role}, which you do not have.${who}`);
  }

  private async inGroup(group: string | null, userId: string): Promise<boolean> {
    if (group === null) return false;
    return (await this.deps.directory.groupMembers(group)).includes(userId);
  }

  private async isWorkspaceOwner(userId: string): Promise<boolean> {
    return (await this.deps.directory.person(userId))?.isWorkspaceOwner ?? false;
  }
}
