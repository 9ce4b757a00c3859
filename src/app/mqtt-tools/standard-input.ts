import process from 'node:process';
import type { ToolInput } from '#cli';

/** Standard input, read no faster than it is asked for. */
export function openStandardInput(): ToolInput {
  return {
    chunks: process.stdin as AsyncIterable<Buffer>,
    close: () => void process.stdin.destroy(),
  };
}
