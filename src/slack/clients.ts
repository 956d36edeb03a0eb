import { WebClient, type WebClientOptions } from '@slack/web-api';
import type { SlackConfig } from '../config.js';

/**
 * Options of a Slack client that never repeats a call by itself and never pauses its queue: the outbox waits, orders
 * and repeats; a user path fails fast (shared/SLACK.md §5). A new object each time, because the SDK writes into it.
 */
export function clientOptions(slack: SlackConfig, timeout: number): WebClientOptions {
  return { slackApiUrl: slack.apiUrl, timeout, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true };
}

/** For what a person waits for: it has to be over within Slack's three seconds. */
export const FAST_TIMEOUT_MS = 2_500;
/** For the outbox and other background work. */
export const PATIENT_TIMEOUT_MS = 10_000;

export interface SlackClients {
  readonly fast: WebClient;
  readonly patient: WebClient;
}

export function createClients(slack: SlackConfig): SlackClients {
  return {
    fast: new WebClient(slack.botToken, clientOptions(slack, FAST_TIMEOUT_MS)),
    patient: new WebClient(slack.botToken, clientOptions(slack, PATIENT_TIMEOUT_MS)),
  };
}
