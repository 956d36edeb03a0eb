import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fields, fieldsOf, isFields, listOf, stringOf } from './protocol.js';

export interface SlashCommand {
  readonly command: string;
  readonly description: string;
  readonly usage_hint: string;
}

/** What an installed app may do, read from its manifest. `null` means that nothing is known and all is allowed. */
export interface AppManifest {
  readonly commands: readonly SlashCommand[];
  readonly shortcuts: readonly { callback_id: string; name: string; type: string }[] | null;
  readonly events: readonly string[] | null;
  readonly scopes: readonly string[] | null;
  readonly home_tab: boolean;
  readonly messages_tab: boolean;
}

/** Used when there is no manifest at all: the product's commands, everything else open. */
const OPEN_MANIFEST: AppManifest = {
  commands: ['/connections', '/executions', '/approvals'].map((command) => ({
    command,
    description: '',
    usage_hint: '',
  })),
  shortcuts: null,
  events: null,
  scopes: null,
  home_tab: true,
  messages_tab: true,
};

/**
 * Reads an app manifest (v1 or v2 body). Parts that the manifest leaves out stay closed, as in Slack:
 * an event that is not subscribed is not delivered, a scope that is not named is missing.
 */
export function readManifest(manifest: Fields): AppManifest {
  const features = fieldsOf(manifest.features);
  const home = fieldsOf(features.app_home);
  const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  return {
    commands: listOf(features.slash_commands).map((command) => ({
      command: stringOf(command.command),
      description: stringOf(command.description),
      usage_hint: stringOf(command.usage_hint),
    })),
    shortcuts: listOf(features.shortcuts).map((shortcut) => ({
      callback_id: stringOf(shortcut.callback_id),
      name: stringOf(shortcut.name),
      type: stringOf(shortcut.type),
    })),
    events: strings(fieldsOf(fieldsOf(manifest.settings).event_subscriptions).bot_events),
    scopes: strings(fieldsOf(fieldsOf(manifest.oauth_config).scopes).bot),
    home_tab: home.home_tab_enabled === true,
    messages_tab: home.messages_tab_enabled === true,
  };
}

/** The product's own manifest.json (found above this file, in the sources as well as in dist/), or the open one. */
export function productManifest(): AppManifest {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const path = join(folder, 'manifest.json');
    if (existsSync(path)) {
      const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
      return isFields(parsed) ? readManifest(parsed) : OPEN_MANIFEST;
    }
    if (dirname(folder) === folder) return OPEN_MANIFEST;
  }
}

/** A manifest for a small app in a test: named commands, the rest open unless given. */
export function smallManifest(
  given: Partial<AppManifest> & { commands: AppManifest['commands'] },
): AppManifest {
  return { ...OPEN_MANIFEST, ...given };
}
