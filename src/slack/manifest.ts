/**
 * The app's manifest. `manifest.json` is the Socket Mode form and the one source; for HTTP the same app gets an address
 * for everything that Slack sends.
 */

/** The parts of a manifest that depend on the way Slack reaches us; the rest is passed on as it is. */
export interface AppManifest {
  readonly features: {
    readonly slash_commands: readonly { readonly command: string; readonly [key: string]: unknown }[];
    readonly [key: string]: unknown;
  };
  readonly settings: {
    readonly event_subscriptions: { readonly bot_events: readonly string[]; readonly request_url?: string };
    readonly interactivity: {
      readonly is_enabled: boolean;
      readonly request_url?: string;
      readonly message_menu_options_url?: string;
    };
    readonly socket_mode_enabled: boolean;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** Where the HTTP receiver listens. */
export const SLACK_EVENTS_PATH = '/slack/events';

/**
 * The HTTP form of a Socket Mode manifest.
 * @param publicUrl where Slack reaches the app, as `PUBLIC_URL` names it: https, nothing but an origin
 * @throws Error when it is not that
 */
export function httpManifest(manifest: AppManifest, publicUrl: string): AppManifest {
  const address = slackAddress(publicUrl);
  const { features, settings } = manifest;
  return {
    ...manifest,
    features: {
      ...features,
      slash_commands: features.slash_commands.map((command) => ({ ...command, url: address })),
    },
    settings: {
      ...settings,
      event_subscriptions: { ...settings.event_subscriptions, request_url: address },
      interactivity: {
        ...settings.interactivity,
        request_url: address,
        message_menu_options_url: address,
      },
      socket_mode_enabled: false,
    },
  };
}

function slackAddress(publicUrl: string): string {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : null;
  if (url?.protocol !== 'https:' || url.href !== `${url.origin}/`) {
    throw new Error(`Slack needs an address such as https://connections.example.com, not ${publicUrl}`);
  }
  return url.origin + SLACK_EVENTS_PATH;
}
