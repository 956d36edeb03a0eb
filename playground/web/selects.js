/** The select menus of Block Kit: where their options come from, and what a choice means to the form. */
import { combobox } from './combobox.js';
import { drawText } from './text.js';
import { valueKey } from './values.js';

const MIN_QUERY_LENGTH = 3;

/** Draws any `*_select` element. */
export function drawSelect(element, own) {
  const multi = element.type.startsWith('multi_');
  const source = sourceOf(element, own);
  const current = [own.value()].flat().filter((value) => value !== null && value !== undefined);
  return combobox({
    attributes: own.attributes,
    placeholder: element.placeholder?.text ?? 'Choose',
    multi,
    max: element.max_selected_items,
    clearable: own.field !== undefined && !own.field.required,
    selected: current.map(source.entryOf),
    load: source.load,
    minQuery: source.minQuery ?? 0,
    onChange: (entries) => {
      const values = entries.map((entry) => entry.value);
      own.change(multi ? values : (values[0] ?? null));
    },
  });
}

/** An entry is `{key, label, search, content, detail, value}`; a group is `{label, entries}`. */
function sourceOf(element, own) {
  const { reader } = own.surface;
  const kind = valueKey(element.type);
  if (kind === 'selected_option' || kind === 'selected_options') return optionSource(element, own, reader);
  return idSource(idsOf(element, kind, reader));
}

function optionSource(element, own, reader) {
  const entryOf = (option) => ({
    key: option.value,
    label: option.text.text,
    content: () => drawText(option.text, reader),
    detail: option.description?.text,
    value: option,
  });
  const grouped = (holder) =>
    holder.option_groups?.map(({ label, options }) => ({
      label: label.text,
      entries: options.map(entryOf),
    })) ?? [{ label: '', entries: (holder.options ?? []).map(entryOf) }];
  if (!element.type.includes('external')) {
    return { entryOf, load: async (query) => matching(grouped(element), query) };
  }
  return {
    entryOf,
    minQuery: element.min_query_length ?? MIN_QUERY_LENGTH,
    load: async (query) => grouped(await own.surface.options(own.block.block_id, element.action_id, query)),
  };
}

function idSource(entries) {
  return {
    entryOf: (id) => entries.find(({ key }) => key === id) ?? { key: id, label: id, value: id },
    load: async (query) => matching([{ label: '', entries }], query),
  };
}

function idsOf(element, kind, { directory }) {
  const users = directory.users.map((user) => ({
    key: user.id,
    label: user.real_name || user.name,
    detail: user.is_bot ? 'App' : `@${user.name}`,
    value: user.id,
  }));
  if (kind.startsWith('selected_user')) return users;
  const wanted = new Set(element.filter?.include ?? ['public', 'private', 'im']);
  const publicOnly = kind.startsWith('selected_channel');
  return directory.channels
    .filter((channel) =>
      channel.kind === 'im' ? !publicOnly && wanted.has('im') : publicOnly || wanted.has('public'),
    )
    .map((channel) => ({
      key: channel.id,
      label: channel.kind === 'im' ? channel.name : `#${channel.name}`,
      detail: channel.kind === 'im' ? 'Direct message' : undefined,
      value: channel.id,
    }));
}

function matching(groups, query) {
  const wanted = query.trim().toLowerCase();
  const fits = ({ label, detail }) => `${label} ${detail ?? ''}`.toLowerCase().includes(wanted);
  return groups
    .map(({ label, entries }) => ({ label, entries: wanted === '' ? entries : entries.filter(fits) }))
    .filter(({ entries }) => entries.length > 0);
}
