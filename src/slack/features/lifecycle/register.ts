import type { Register } from '../../edge.js';

/** The app was removed, or its tokens were: work stops cleanly, and everybody who calls is told. */
export const registerLifecycle: Register = ({ app, services, log }) => {
  app.event('app_uninstalled', async () => {
    await services.settings.setSlack('removed', 'app_uninstalled');
    log.error({}, 'the app was uninstalled from Slack; nothing runs until it is installed again');
  });
  app.event('tokens_revoked', async ({ event }) => {
    if ((event.tokens.bot ?? []).length === 0) return;
    await services.settings.setSlack('removed', 'tokens_revoked');
    log.error({}, 'the tokens of the app were revoked; nothing runs until it is installed again');
  });
};
