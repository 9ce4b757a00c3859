/** Makes `dist/` for publishing: plain `tsc`, then a check that the compiled command line starts. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.dirname(import.meta.dirname);
rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const tsc = path.join(root, 'node_modules', '.bin', 'tsc');
process.exitCode =
  spawnSync(tsc, ['-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
  }).status ?? 1;
if (process.exitCode === 0) {
  const version = spawnSync(
    process.execPath,
    [path.join(root, 'dist', 'src', 'app', 'main.js'), '--version'],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  process.exitCode = version.status ?? 1;
}
