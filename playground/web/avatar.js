/** Avatars without pictures: initials on the person's colour, the sun for the app. */
import { el, icon } from './dom.js';

/** @param {{real_name?: string, name: string, color?: string, is_bot?: boolean}} user */
export function avatar(user, size = '') {
  const node = el('span', { class: `avatar ${size}`, 'aria-hidden': 'true' });
  if (user.is_bot) {
    node.classList.add('avatar-app');
    node.append(icon('sun'));
    return node;
  }
  node.append(initials(user.real_name || user.name));
  if (/^#?[0-9a-f]{6}$/i.test(user.color ?? '')) {
    node.style.setProperty('--person', `#${user.color.replace('#', '')}`);
  }
  return node;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join('');
}
