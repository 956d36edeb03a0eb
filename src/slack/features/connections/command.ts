/** What `/connections` understands: its sub-commands, and what comes nearest to one that it does not. */
import type { HelpLine } from '../../../../blocks/connections/help.js';

export interface ParsedCommand {
  /** Lower case; `list` when nothing was typed. */
  readonly name: string;
  readonly rest: string;
}

export const SUB_COMMANDS = {
  list: { usage: 'list', does: 'the connections that you may see', role: null },
  find: { usage: 'find TEXT', does: 'those whose name, key, purpose or connector has the text', role: null },
  show: { usage: 'show KEY', does: 'everything about one connection', role: null },
  add: { usage: 'add', does: 'add a connection', role: 'admin' },
  edit: { usage: 'edit KEY', does: 'name, purpose, owners, settings, who sees it', role: 'admin or owner' },
  policy: {
    usage: 'policy KEY',
    does: 'what runs directly, needs approval or is blocked',
    role: 'admin or owner',
  },
  access: { usage: 'access KEY', does: 'which callers may use it', role: 'admin' },
  pause: {
    usage: 'pause KEY | caller:NAME | all',
    does: 'stop all calls, with a reason',
    role: 'admin or owner',
  },
  resume: { usage: 'resume KEY | caller:NAME | all', does: 'let calls run again', role: 'admin or owner' },
  remove: { usage: 'remove KEY', does: 'delete it and its credential', role: 'admin' },
  test: { usage: 'test KEY', does: 'call one harmless read function', role: 'admin or owner' },
  simulate: {
    usage: 'simulate KEY FUNCTION {…}',
    does: 'whether a call would run, ask or be blocked, and why',
    role: 'admin or owner',
  },
  connect: { usage: 'connect KEY', does: 'authorize your own account on a private connection', role: null },
  disconnect: { usage: 'disconnect KEY', does: 'take your own account away again', role: null },
  callers: {
    usage: 'callers',
    does: 'agents, workflows, skills and prompts; `callers add` registers one',
    role: 'admin',
  },
  report: { usage: 'report', does: 'requests and decisions of the last seven days', role: 'admin' },
  'reset-proof': {
    usage: 'reset-proof',
    does: 'take away the second proof of somebody who lost her phone',
    role: 'admin',
  },
  settings: { usage: 'settings', does: 'admins, auditors, approvals channel, retention', role: 'admin' },
  help: { usage: 'help', does: 'this list', role: null },
} as const satisfies Record<string, HelpLine>;

export type SubCommand = keyof typeof SUB_COMMANDS;

export function isSubCommand(name: string): name is SubCommand {
  return Object.hasOwn(SUB_COMMANDS, name);
}

export function parseCommand(text: string): ParsedCommand {
  const [name = '', ...rest] = text.trim().split(/\s+/);
  return { name: name === '' ? 'list' : name.toLowerCase(), rest: rest.join(' ') };
}

/** A key as people type it: in backticks or quotes, with a capital. */
export function keyOf(text: string): string {
  return text
    .replace(/[`'"“”<>]/g, '')
    .trim()
    .toLowerCase();
}

/** The sub-command that a typing mistake or a beginning most likely meant; null when nothing is near. */
export function nearest(typed: string): SubCommand | null {
  const names = Object.keys(SUB_COMMANDS).filter(isSubCommand);
  const begun = names.find((name) => typed.length > 1 && (name.startsWith(typed) || typed.startsWith(name)));
  if (begun) return begun;
  const [best] = names
    .map((name) => ({ name, distance: distance(typed, name) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= (typed.length < 4 ? 1 : 2) ? best.name : null;
}

/** Levenshtein's, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a.slice(0, 30)].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
