import { readdir } from 'node:fs/promises';
import os from 'node:os';
import process from 'node:process';
import { DavylampError, systemCodeOf } from '#base';
import type { BrokerRunOptions } from '#cli';
import { readMosquittoConf, type Config } from '#config';
import { readTextFile } from '#security';
import type { ConfigSource } from '../role.ts';

/** The configuration of `davylamp broker`: a mosquitto.conf, or nothing but defaults. */
export function brokerConfigSource(options: BrokerRunOptions): ConfigSource {
  const { configFile, port, verbose, quiet } = options;
  const source = {
    folder: process.cwd(),
    hostName: os.hostname(),
    readFile: (file: string) => readTextFile('configuration file', file),
    listFolder,
  };
  return {
    title: configFile ?? 'the defaults',
    async read() {
      const reading = readMosquittoConf(configFile ?? null, source, {
        verbose,
        ...(port === undefined ? {} : { port }),
      });
      const { config, warnings } = await reading.catch((error: unknown) => {
        throw asConfigError(error);
      });
      return { config: quiet ? silenced(config) : config, warnings };
    },
  };
}

/** To Mosquitto a file that cannot be read is a wrong configuration: exit code 3. */
function asConfigError(error: unknown): unknown {
  return error instanceof DavylampError && error.code === 'FILE_UNREADABLE'
    ? new DavylampError('CONFIG_INVALID', error.message, { cause: error })
    : error;
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = systemCodeOf(error) ?? 'unknown error';
    throw new DavylampError(
      'FILE_UNREADABLE',
      `folder ${folder} cannot be read (${code}); check the path and its permissions`,
      { cause: error },
    );
  }
}

function silenced(config: Config): Config {
  const { mosquittoLog } = config;
  return mosquittoLog === undefined
    ? config
    : { ...config, mosquittoLog: { ...mosquittoLog, types: new Set() } };
}
