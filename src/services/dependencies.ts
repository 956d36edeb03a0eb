import type { Models } from '../../models/index.js';
import type { ConnectorDefinition } from '../connectors/framework.js';
import type { CompanySignIn } from '../credentials/company-sign-in.js';
import type { KeyProvider } from '../credentials/key-ring.js';
import type { Clock } from '../database/clock.js';
import type { Logger } from '../log.js';
import type { Outbound } from '../net/safe-fetch.js';
import type { Directory } from './directory.js';
import type { Signals } from './signals.js';

/** What every service is built from. Made once in `src/app.ts`. */
export interface Dependencies {
  readonly workspaceId: string;
  /** Names this process in leases. */
  readonly processId: string;
  readonly publicUrl: string;
  readonly models: Models;
  /** Database time: deadlines are written with it and compared with `$$NOW`. */
  readonly clock: Clock;
  readonly keys: KeyProvider;
  readonly outbound: Outbound;
  readonly directory: Directory;
  readonly signals: Signals;
  readonly log: Logger;
  /** `CONNECTOR_ENDPOINTS`: key → base URL. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** `MCP_COMMANDS`: programs that the operator lets us start. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
  /** Null where the operator configured none. */
  readonly companySignIn: CompanySignIn | null;
  /** Loads it at its first use. @throws Error for an id that is not in the catalogue */
  readonly connector: (id: string) => Promise<ConnectorDefinition>;
  /** Who is admin or auditor by configuration, whatever the settings say. */
  readonly configuredRoles: {
    readonly admins: readonly string[];
    readonly adminGroup: string | null;
    readonly auditors: readonly string[];
    readonly auditorGroup: string | null;
  };
}
