/** What the composer offers while a slash command is typed. No DOM. */

/**
 * @param {string} text the composer's text
 * @param {{command: string, description: string, usage_hint?: string}[]} commands
 * @returns {{label: string, detail: string, insert: string}[]} nothing when the text is not a command
 */
export function suggest(text, commands) {
  if (!text.startsWith('/') || text.includes('\n')) return [];
  const space = text.indexOf(' ');
  if (space === -1) {
    return commands
      .filter(({ command }) => command.startsWith(text.toLowerCase()))
      .map(({ command, description, usage_hint: hint }) => ({
        label: command,
        detail: description,
        insert: hint ? `${command} ` : command,
      }));
  }
  const known = commands.find(({ command }) => command === text.slice(0, space));
  if (known === undefined) return [];
  const typed = text.slice(space + 1).toLowerCase();
  return usages(known.usage_hint ?? '')
    .filter((usage) => usage.toLowerCase().startsWith(typed) && literal(usage) !== typed)
    .map((usage) => ({
      label: `${known.command} ${usage}`,
      detail: '',
      insert: `${known.command} ${literal(usage)}`,
    }));
}

/** `[list | find TEXT | show KEY]` → its alternatives. */
function usages(hint) {
  return hint
    .replace(/^\[|\]$/g, '')
    .split(/\s*[|·]\s*/)
    .map((usage) => usage.trim())
    .filter((usage) => /^[a-z]/.test(usage));
}

/** The words to type as they stand, up to the first placeholder (`find TEXT` → `find `). */
function literal(usage) {
  const words = usage.split(' ');
  const end = words.findIndex((word) => !/^[a-z-]+$/.test(word));
  return end === -1 ? usage : `${words.slice(0, end).join(' ')} `;
}
