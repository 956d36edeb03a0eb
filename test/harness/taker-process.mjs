/** A process that has the product's services and runs what it is told to, when it is told to: nothing else competes. */
import { connectServices } from '../../dist/src/bootstrap.js';
import { parseConfig } from '../../dist/src/config.js';
import { connectDatabase } from '../../dist/src/database/connect.js';
import { createLog } from '../../dist/src/log.js';
import { createClients } from '../../dist/src/slack/clients.js';
import { SlackDirectory } from '../../dist/src/slack/directory.js';

const config = parseConfig(process.env, false);
const log = createLog(config.log);
const database = await connectDatabase({ uri: config.mongodbUri, log });
const workspace = process.env.TAKER_WORKSPACE;
const directory = new SlackDirectory(createClients(config.slack).patient, workspace);
const { services } = await connectServices(config, database, { id: workspace, directory }, log);

process.on('message', ({ ids, at }) => {
  setTimeout(() => {
    for (const id of ids) services.runner.take(id);
  }, at - Date.now());
});
process.on('disconnect', () => process.exit(0));
process.send('ready');
