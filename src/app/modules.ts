import { fileURLToPath } from 'node:url';
import path from 'node:path';

/** Modules are `.ts` in the checkout and `.js` in the package. */
const extension = path.extname(fileURLToPath(import.meta.url));

/** A checkout, not the published package. */
export const runsFromSource = extension === '.ts';

/** The program's entry, to start further processes of it. */
export const mainModule = fileURLToPath(new URL(`./main${extension}`, import.meta.url));

/** The entry of the thread that ingest, store and API live in. */
export const platformThreadModule = new URL(`./platform-thread${extension}`, import.meta.url);

/** The package's own folder: where `package.json` and `web/dist` are. */
export const packageFolder = findPackageFolder();

function findPackageFolder(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  // src/app in the checkout, dist/src/app in the package
  return extension === '.ts' ? path.resolve(here, '../..') : path.resolve(here, '../../..');
}
