"use strict";
// Opens a page in Chromium at several widths and colour schemes, and prints what is wrong with it as JSON.
// Arguments: the folder of node_modules, the browser, the URL, a folder for screenshots.

const { createRequire } = require("node:module");
const [, , packages, browserPath, url, screenshots] = process.argv;
const from = createRequire(`${packages}/`);
const puppeteer = from("puppeteer-core");
const axe = from("axe-core");

const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 900 } };

async function look(browser, name, viewport, scheme) {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => request.url().startsWith(url) || said.push(`asks for ${request.url()}`));
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(url);
  await page.waitForSelector("#queues li");
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => (await globalThis.axe.run()).violations);
  const facts = await page.evaluate(() => ({
    text: document.body.innerText,
    tags: [...new Set([...document.querySelectorAll("*")].map((one) => one.localName))],
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ground: getComputedStyle(document.body).backgroundColor,
    run: globalThis.run ?? null,
    bars: [...document.querySelectorAll(".bar > div")].map((one) => one.style.width),
  }));
  await page.screenshot({ path: `${screenshots}/${name}-${scheme}.png`, fullPage: true });
  await page.close();
  const broken = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
  return { name, scheme, said, violations: broken, ...facts };
}

async function main() {
  const browser = await puppeteer.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
  const looks = [];
  for (const [name, viewport] of Object.entries(SIZES)) {
    for (const scheme of ["light", "dark"]) looks.push(await look(browser, name, viewport, scheme));
  }
  await browser.close();
  console.log(JSON.stringify(looks));
}

main();
