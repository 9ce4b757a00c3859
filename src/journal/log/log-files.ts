import { close, fdatasync, fsync, ftruncate, open, read, rename, unlink, writev } from 'node:fs';
import process from 'node:process';
import { promisify } from 'node:util';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncData = promisify(fdatasync);
const syncFile = promisify(fsync);
const truncateFile = promisify(ftruncate);
const renameFile = promisify(rename);
const unlinkFile = promisify(unlink);

/** Buffers that one system call takes (IOV_MAX is 1,024). */
const buffersPerCall = 512;

/** What the journal asks of the file system: off the event loop, all of it. A test makes calls fail by it. */
export interface LogFiles {
  /** Makes a file that must not exist, mode 0600, and opens it for reading and writing. */
  create(file: string): Promise<number>;
  openToRead(file: string): Promise<number>;
  /** Writes everything at `position`. */
  write(fd: number, buffers: readonly Buffer[], position: number): Promise<void>;
  /** Fills `into` from `position` as far as the file goes; bytes read. */
  read(fd: number, into: Buffer, position: number): Promise<number>;
  /** Data, and what is needed to find it, is on the disk. */
  syncData(fd: number): Promise<void>;
  truncate(fd: number, length: number): Promise<void>;
  close(fd: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Names in this folder are on the disk. */
  syncFolder(folder: string): Promise<void>;
}

/** The file system itself. */
export const systemFiles: LogFiles = {
  create: (file) => openFile(file, 'wx+', 0o600),
  openToRead: (file) => openFile(file, 'r'),
  write: writeAll,
  read: readFull,
  syncData: (fd) => syncData(fd),
  truncate: (fd, length) => truncateFile(fd, length),
  close: (fd) => closeFile(fd),
  rename: (from, to) => renameFile(from, to),
  remove: (file) => unlinkFile(file),
  syncFolder,
};

async function writeAll(fd: number, buffers: readonly Buffer[], position: number): Promise<void> {
  let at = position;
  for (let first = 0; first < buffers.length; first += buffersPerCall) {
    let rest = buffers.slice(first, first + buffersPerCall);
    while (rest.length > 0) {
      const written = await writeOnce(fd, rest, at);
      at += written;
      rest = behind(rest, written);
    }
  }
}

function writeOnce(fd: number, buffers: readonly Buffer[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, buffers, position, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}

/** What is left of the buffers behind so many bytes. */
function behind(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  const left: Buffer[] = [];
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length;
    else {
      left.push(buffer.subarray(skip));
      skip = 0;
    }
  }
  return left;
}

async function readFull(fd: number, into: Buffer, position: number): Promise<number> {
  let got = 0;
  while (got < into.length) {
    const some = await readOnce(fd, into, got, position + got);
    if (some === 0) break;
    got += some;
  }
  return got;
}

function readOnce(fd: number, into: Buffer, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, offset, into.length - offset, position, (error, some) =>
      error === null ? resolve(some) : reject(error),
    );
  });
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const fd = await openFile(folder, 'r');
  try {
    await syncFile(fd);
  } finally {
    await closeFile(fd);
  }
}
