/** A headless browser, where one is installed. */
import { spawnSync } from 'node:child_process';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { onTestFinished } from 'vitest';

/** The command of an installed browser, or `null`. Tests without one are skipped. */
export const browserCommand =
  ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0) ?? null;

if (browserCommand === null) console.log('skipped: no browser is installed (apt-get install chromium)');

/** Opens a browser, closed after the test. */
export async function openBrowser(): Promise<Browser> {
  const path = spawnSync('which', [browserCommand!], { encoding: 'utf8' }).stdout.trim();
  // Chromium's sandbox refuses to run as root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await puppeteer.launch({ executablePath: path, headless: true, args });
  onTestFinished(() => browser.close());
  return browser;
}

/** Opens a page, and collects what goes wrong on it. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(url);
  return { page, problems };
}
