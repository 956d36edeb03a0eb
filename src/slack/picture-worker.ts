/** Entry of the worker thread that turns one SVG into a PNG: its memory goes with it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

/** Screens show it at half the size, sharp. */
const ZOOM = 2;

const { resolve } = createRequire(import.meta.url);
const font = (name: string): Buffer => readFileSync(resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));

await initWasm(readFileSync(resolve('@resvg/resvg-wasm/index_bg.wasm')));
const image = new Resvg(String(workerData), {
  font: {
    fontBuffers: [font('DejaVuSans'), font('DejaVuSans-Bold')],
    defaultFontFamily: 'DejaVu Sans',
    loadSystemFonts: false,
  },
  fitTo: { mode: 'zoom', value: ZOOM },
});
parentPort?.postMessage(image.render().asPng());
