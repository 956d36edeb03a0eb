/** What is shown in Slack: copies of cards, and notices. */
import type { Risk } from './policy.js';

/** How a call ended that somebody was asked about, as its requester is told. */
export interface ToldOutcome {
  executionId: string;
  functionTitle: string;
  connectionName: string;
  callerName: string;
  status: 'succeeded' | 'denied' | 'expired' | 'cancelled' | 'failed' | 'outcome_unknown';
  /** Who denied it. */
  by: string | null;
  note: string | null;
}

/** Questions and their ends of some days, as `src/services/load-report.ts` counts them. Metadata only. */
export interface LoadReport {
  from: Date;
  to: Date;
  /** More questions than are counted: the newest are. */
  cut: boolean;
  /** Oldest first. */
  days: { day: string; asked: number }[];
  totals: LoadCounts;
  /** Those with the most questions first. */
  functions: (LoadCounts & { connectionKey: string; function: string })[];
  suggestions: {
    kind: 'always_approved' | 'always_denied' | 'often_expired' | 'too_quick';
    connectionKey: string;
    function: string;
    risk: Risk;
    count: number;
    of: number;
  }[];
}

export interface LoadCounts {
  asked: number;
  approved: number;
  denied: number;
  expired: number;
  cancelled: number;
  /** Decided in less than three seconds after it was asked. */
  quick: number;
  /** To the decision; null where nothing was decided. */
  medianMs: number | null;
}

/** What a DM outside of any card tells. `sentence` is mrkdwn of the Slack edge, every value in it escaped. */
export type Notice =
  | { kind: 'sentence'; text: string }
  | {
      kind: 'nobody_can_decide';
      /** How many may decide, of how many it takes; absent in older ones: none. */
      left?: number;
      quorum?: number;
      executionId: string;
      functionTitle: string;
      connectionName: string;
      connectionKey: string;
    }
  | { kind: 'outcomes'; items: ToldOutcome[]; more: number }
  | { kind: 'approval_voided'; executionId: string; by: string; functionTitle: string }
  | { kind: 'needs_reconnect' | 'needs_more_scopes'; connectionKey: string }
  | { kind: 'credential_stored'; name: string }
  | { kind: 'load_report'; report: LoadReport }
  | { kind: 'connecting_failed'; connectionKey: string | null; reason: string };

export interface OutboxDocument {
  _id: string;
  workspaceId: string;
  /** A channel id, or a user id whose DM is opened first. */
  to: string;
  /** What it shows: a view drawn from the current state of `subjectId`, or the notice in `message`. */
  view: 'approval' | 'authorization' | 'oauth_code' | 'notice' | 'reminder' | 'home';
  subjectId: string;
  message: Notice | null;
  /** Rises with every change to be shown; delivery is due while `shown` is behind. */
  wanted: number;
  shown: number;
  /** Version of the subject that was drawn last, for the sweeper that repairs stale cards. */
  drawn: number;
  channel: string | null;
  ts: string | null;
  attempts: number;
  /** Null while nothing is due. */
  notBefore: Date | null;
  lease: { owner: string; until: Date } | null;
  /** Delivery is pointless afterwards. */
  deadline: Date | null;
  failed: string | null;
  /** When it was last asked to be posted anew. */
  askedAt?: Date | null;
  createdAt: Date;
}
