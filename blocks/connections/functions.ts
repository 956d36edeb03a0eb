/** Which functions are on. All are off until somebody picks them. */
import type { KnownBlock, View } from '@slack/types';
import type { Risk } from '../../models/types.js';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import { type Choice, type ChoiceGroup, modal, multiSelect } from '../parts/inputs.js';
import { context, lines, said, section } from '../parts/text.js';

export interface FunctionChoice {
  readonly name: string;
  readonly title: string;
  readonly risk: Risk;
}

export interface FunctionPicker {
  /** What the view is about: a draft of the add form, or a connection. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly name: string;
  readonly functions: readonly FunctionChoice[];
  readonly picked: readonly string[];
  /** Null where nobody is asked for it yet. */
  readonly everyTime: {
    readonly functions: readonly FunctionChoice[];
    readonly picked: readonly string[];
  } | null;
  /** What the import has to say: operations it cannot call, warnings. */
  readonly notes: readonly string[];
  /** What an admin should know about signing in. */
  readonly remarks: readonly string[];
  /** More of them may be on offer than are listed: the connection keeps what was picked. */
  readonly mayReread: boolean;
  readonly submit: string;
}

const GROUPS: readonly { risk: Risk; label: string }[] = [
  { risk: 'read', label: 'Reads' },
  { risk: 'write', label: 'Writes: wait for approval' },
  { risk: 'destructive', label: 'Destructive: wait for approval' },
];
/** More than these say nothing that the first ones do not. */
const MOST_NOTES = 10;

export function functionChoice({ name, title, risk }: FunctionChoice): Choice {
  return { value: name, label: title, description: `${name} · ${risk}` };
}

export function functionGroups(functions: readonly FunctionChoice[]): ChoiceGroup[] {
  return GROUPS.map(({ risk, label }) => ({
    label,
    choices: functions.filter((fn) => fn.risk === risk).map(functionChoice),
  }));
}

export function functionPickerModal(picker: FunctionPicker): View {
  const { functions, notes } = picker;
  const count = (risk: Risk): number => functions.filter((fn) => fn.risk === risk).length;
  const rest =
    notes.length > MOST_NOTES ? [`• …and ${notes.length - MOST_NOTES} more remarks on the document`] : [];
  const blocks: KnownBlock[] = [
    section(
      `*${said(picker.name, 80)}* has ${functions.length} functions: ${count('read')} read, ${count('write')} write, ${count('destructive')} destructive. All are off until you pick them.`,
    ),
    ...picker.remarks.map((remark) => context(`:warning: ${said(remark, 600)}`)),
    ...(functions.length === 0
      ? []
      : [
          multiSelect({
            block: 'functions',
            label: 'Functions to turn on',
            optional: true,
            hint: 'The fewer, the safer: a caller sees exactly these.',
            groups: functionGroups(functions),
            initial: picker.picked,
            search: ACTIONS.functionSearch,
          }),
        ]),
    ...(picker.everyTime === null || picker.everyTime.functions.length === 0
      ? []
      : [
          multiSelect({
            block: 'every_time',
            label: 'Ask every time',
            optional: true,
            hint: 'No rule, no limit and no “Don’t ask again” skips the question. Some functions do so by themselves and are not listed.',
            groups: functionGroups(picker.everyTime.functions),
            initial: picker.everyTime.picked,
            search: ACTIONS.functionSearch,
          }),
        ]),
  ];
  if (picker.mayReread) {
    blocks.push(context('There may be more on offer: *Read functions again* in the view of the connection.'));
  }
  if (notes.length > 0) {
    blocks.push(
      context('What the document says that we cannot use:'),
      ...lines([...notes.slice(0, MOST_NOTES).map((note) => `• ${said(note, 200)}`), ...rest]),
    );
  }
  return modal({
    title: 'Functions',
    callback: VIEWS.connectionFunctions,
    ...(functions.length > 0 && { submit: picker.submit }),
    metadata: picker.metadata,
    blocks,
  });
}
