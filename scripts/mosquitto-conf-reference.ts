/** Writes docs/reference/mosquitto-conf.md from the table of src/config/mosquitto (`--write`), or checks that it is up to date (`--check`). */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mosquittoConfReference } from '#config';

const page = fileURLToPath(new URL('../docs/reference/mosquitto-conf.md', import.meta.url));
const [mode] = process.argv.slice(2);

if (mode === '--write') writeFileSync(page, mosquittoConfReference());
else if (mode === '--check') {
  if (readPage() !== mosquittoConfReference()) {
    console.error(
      'docs/reference/mosquitto-conf.md is not what the table says; run scripts/mosquitto-conf-reference.ts --write',
    );
    process.exitCode = 1;
  }
} else {
  console.error('usage: mosquitto-conf-reference.ts --write | --check');
  process.exitCode = 2;
}

function readPage(): string {
  try {
    return readFileSync(page, 'utf8');
  } catch {
    return ''; // a missing page is one that is not up to date
  }
}
