/** Writes docs/reference/configuration.md from the schema of src/config (`--write`), or checks that it is up to date (`--check`). */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configReference } from '#config';

const page = fileURLToPath(new URL('../docs/reference/configuration.md', import.meta.url));
const [mode] = process.argv.slice(2);

if (mode === '--write') writeFileSync(page, configReference());
else if (mode === '--check') {
  if (readPage() !== configReference()) {
    console.error(
      'docs/reference/configuration.md is not what the schema says; run scripts/config-reference.ts --write',
    );
    process.exitCode = 1;
  }
} else {
  console.error('usage: config-reference.ts --write | --check');
  process.exitCode = 2;
}

function readPage(): string {
  try {
    return readFileSync(page, 'utf8');
  } catch {
    return ''; // a missing page is one that is not up to date
  }
}
