/** The screen in headless Chromium, as an operator uses it: values change, a leak raises an alarm, it is acknowledged. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { DemoStatus } from '#cli';
import { DemoProcess, eventually, fetchJson, root, type DeviceView } from '../helpers/demo-process.ts';

const executablePath = '/usr/bin/chromium';
const noBrowser = existsSync(executablePath) ? false : 'Chromium is not installed (Debian package chromium)';
const output = path.join(root, 'test-output');

describe('the screen', { skip: noBrowser }, () => {
  let demo: DemoProcess;
  let status: DemoStatus;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const outside: string[] = [];

  before(async () => {
    mkdirSync(output, { recursive: true });
    demo = await DemoProcess.start();
    status = await demo.status();
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (new URL(request.url()).host !== new URL(status.screen).host) outside.push(request.url());
    });
    await page.goto(status.screen);
  });
  after(async () => {
    await browser?.close();
    await demo?.[Symbol.asyncDispose]();
  });

  const device = async (mac: string): Promise<DeviceView> =>
    eventually(`device ${mac}`, async () =>
      (await fetchJson<DeviceView[]>(status.screen, '/api/v1/devices')).find((one) => one.mac === mac),
    );

  it('shows every detector, and a value that changes', { timeout: 60_000 }, async () => {
    const shown = await device('5C:CF:7F:20:01:03');
    await page.getByTestId(`device-${shown.id}`).waitFor();
    await page.getByTestId('device-north.host').waitFor();
    const value = page.getByTestId('device-north.host-value');
    const first = await value.textContent();
    await eventually(
      'another value',
      async () => ((await value.textContent()) === first ? undefined : true),
      40_000,
    );
    await page.screenshot({ path: path.join(output, 'screen-normal.png') });
  });

  it(
    'raises an alarm when a leak is opened on the page, takes its acknowledgement, and clears',
    { timeout: 240_000 },
    async () => {
      const detector = await device('5C:CF:7F:20:02:01');
      await page.goto(`${status.screen}#/devices/${detector.id}`);
      await page.getByTestId(`leak-rate-${detector.id}`).selectOption('2000');
      await page.getByTestId(`leak-open-${detector.id}`).click();
      const acknowledge = page.locator('[data-testid^="acknowledge-"]').first();
      await acknowledge.waitFor({ timeout: 90_000 });
      await page.screenshot({ path: path.join(output, 'screen-alarm.png') });
      await acknowledge.click();
      // The first action asks who acts; the name stays for the next ones.
      const name = page.getByTestId('operator-name');
      await name.fill('Test Operator');
      await name.press('Enter');
      await eventually('the acknowledgement', async () => {
        const alarms = await fetchJson<{ state: string; acknowledgedBy: string | null }[]>(
          status.screen,
          '/api/v1/alarms',
        );
        return alarms.some((one) => one.state === 'acknowledged' && one.acknowledgedBy === 'Test Operator')
          ? true
          : undefined;
      });
      await page.getByTestId(`leak-close-${detector.id}`).click();
      await eventually(
        'the alarm to clear',
        async () => {
          const alarms = await fetchJson<{ state: string }[]>(status.screen, '/api/v1/alarms');
          return alarms.every((one) => one.state === 'normal') ? true : undefined;
        },
        120_000,
      );
    },
  );

  it('sends a command from the page and shows the answer', { timeout: 60_000 }, async () => {
    const detector = await device('5C:CF:7F:20:01:02');
    await page.goto(`${status.screen}#/devices/${detector.id}`);
    await page.getByTestId('command-request').click();
    await page.getByTestId('command-log').getByText('reading 0').first().waitFor({ timeout: 30_000 });
  });

  it('says when its data is stale, and recovers', { timeout: 120_000 }, async () => {
    const cloud = (await demo.status()).processes.find((one) => one.name === 'cloud');
    assert.ok(cloud?.pid);
    // A cloud that hangs keeps its connections open: nothing but its silence tells.
    process.kill(cloud.pid, 'SIGSTOP');
    try {
      await page.getByTestId('stale-bar').waitFor({ timeout: 20_000 });
    } finally {
      process.kill(cloud.pid, 'SIGCONT');
    }
    await page.getByTestId('stale-bar').waitFor({ state: 'hidden', timeout: 60_000 });
  });

  it('asked nothing of the outside and found no fault', () => {
    assert.deepEqual(outside, []);
    // While the cloud was down the browser itself reports the failed requests.
    assert.deepEqual(
      problems.filter((text) => !/ERR_|Failed to load resource|EventSource/.test(text)),
      [],
    );
  });
});
