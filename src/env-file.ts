/**
 * Imported before everything else by `npm start` and `npm run admin`: reads `.env` of the working folder, where there is
 * one. What the environment says already wins.
 */
try {
  process.loadEnvFile();
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
