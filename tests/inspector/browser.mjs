// What a person does with the inspector, in a real browser. Each step is a promise;
// the first that isn't kept ends the run with exit code 1.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { contrasts, overflow } from "./look.mjs";

const { INSPECTOR: inspector, TOLLGATE: tollgate, DESK: desk, SHOTS: shots, CHROMIUM: executablePath } = process.env;
const run = promisify(execFile);
rmSync(shots, { recursive: true, force: true });
mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
context.setDefaultTimeout(20_000);
const page = await context.newPage();
const complaints = [];
page.on("console", (m) => { if (["error", "warning"].includes(m.type())) complaints.push(m.text()); });
page.on("pageerror", (e) => complaints.push(String(e)));

// call is bin/tollgate; a refused call exits 1.
const call = async (...args) => { try { return (await run(tollgate, args, { cwd: desk })).stdout; } catch (e) { return e.stdout + e.stderr; } };
const shot = async (name) => {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(100);
    await page.screenshot({ path: `${shots}/${name}-${colorScheme}.png`, fullPage: true });
    assert.deepEqual(await contrasts(page), [], `text of ${name} in ${colorScheme} that is hard to read`);
  }
  await page.emulateMedia({ colorScheme: "light" });
};
const focused = () => page.evaluate(() => document.activeElement.closest("tr")?.dataset.number);
const step = async (promise, does) => {
  try { await does(); } catch (e) { e.message = `${promise}: ${e.message}`; await page.screenshot({ path: `${shots}/failed.png` }); throw e; }
  console.log(`ok ${promise}`);
};

await step("an empty list says what to do", async () => {
  await page.goto(inspector);
  assert.match(await page.textContent("main"), /Nobody has called yet/);
  assert.equal(await page.getAttribute("html", "lang"), "en");
});

await step("requests show up as they arrive, granted and refused", async () => {
  await page.waitForFunction(() => document.getElementById("live").textContent.startsWith("Live"));
  await call("call", "GET", "/orders/42?password=hunter2", "--role", "DataReader", "--header", "X-Trial: <img src=x onerror=alert(1)>", "--header", "Cookie: crumb=secret1");
  await page.waitForSelector("tbody tr.granted");
  await call("call", "POST", "/orders", "--role", "DataReader", "--data", '{"item": 1}');
  await page.waitForSelector("tbody tr.refused");
  assert.equal(await page.locator("#requests tbody tr").count(), 2);
  assert.equal(await page.locator("#empty").count(), 0);
  await page.waitForFunction(() => /\/orders/.test(document.getElementById("news").textContent)); // what a screen reader says
});

await step("limits fill up beside them", async () => {
  const made = await call("keys", "create", "--product", "partner", "--owner", "me");
  const key = /tgk_[A-Za-z0-9_-]+/.exec(made)[0];
  for (let i = 0; i < 12; i++) await call("call", "GET", "/rates/eur", "--anonymous", "--key", key);
  // Windows of ten seconds may end in between, so how full they are is not said.
  await page.waitForFunction(() => [...document.querySelectorAll("#limits li")].some((li) => /daily.*product\/partner/s.test(li.textContent) && li.querySelectorAll("rect")[1].width.baseVal.value > 0));
  await shot("requests");
});

await step("j and k go through the list, Enter opens, Esc comes back", async () => {
  await page.keyboard.press("j");
  const first = await focused();
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await focused(), first);
  await page.keyboard.press("k");
  assert.equal(await focused(), first);
  await page.keyboard.press("Enter");
  await page.waitForURL(/requests\/\d+$/);
  assert.match(await page.textContent("main"), /rates · get/);
  await page.keyboard.press("Escape");
  await page.waitForURL(inspector + "/");
});

await step("/ filters, and ? explains the keys", async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("orders");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=orders/);
  assert.equal(await page.locator("#requests tbody tr").count(), 2);
  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog#help").isVisible());
  await shot("keys");
  await page.keyboard.press("Escape");
  assert.ok(!await page.locator("dialog#help").isVisible());
  await call("call", "GET", "/rates/eur", "--anonymous"); // the stream filters too
  await call("call", "GET", "/orders/43", "--anonymous");
  await page.waitForFunction(() => document.querySelectorAll("#requests tbody tr").length === 3);
});

await step("a granted call shows what let it in, and both sides of the gateway, without secrets", async () => {
  await page.click("a:has-text('/orders/42')");
  await page.waitForSelector("#stages");
  const text = await page.textContent("main");
  for (const want of ["operations.get.allow", "contracts/orders.yaml:", "X-Correlation-Id", "Bearer token, a JWT", "cookie, ", "<img src=x onerror=alert(1)>", "DataReader"]) assert.ok(text.includes(want), `got no ${want}`);
  for (const secret of ["hunter2", "secret1", "eyJ"]) assert.ok(!(await page.content()).includes(secret), `${secret} is on the page`);
  assert.ok(await page.locator(".stages rect.fill").count() >= 4);
  await shot("granted");
});

await step("a refused call shows the line that decided", async () => {
  await page.keyboard.press("k");
  await page.waitForURL(/requests\/2$/);
  assert.match(await page.textContent("mark"), /id: create/);
  assert.match(await page.textContent(".outcome"), /refused/);
  await shot("refused");
  await page.emulateMedia({ media: "print" });
  await page.screenshot({ path: `${shots}/refused-print.png`, fullPage: true });
  await page.emulateMedia({ media: "screen" });
});

await step("it is sent again with another role, and granted", async () => {
  await page.keyboard.press("r");
  await page.waitForURL(/send\?of=2$/);
  assert.equal(await page.inputValue("[name=body]"), '{"item": 1}');
  await page.fill("[name=roles]", "DataWriter");
  await shot("send");
  await page.click("button.main");
  await page.waitForSelector("#answer");
  assert.match(await page.textContent("#answer"), /200/);
  await shot("answer");
  await page.click("#judgement");
  assert.match(await page.textContent(".outcome"), /granted/);
});

await step("the page of limits, and a narrow screen", async () => {
  await page.goto(inspector + "/limits");
  await shot("limits");
  await page.setViewportSize({ width: 390, height: 800 });
  for (const path of ["/", "/requests/2", "/send?of=2", "/limits"]) {
    await page.goto(inspector + path);
    assert.deepEqual(await overflow(page), [], `${path} is wider than a telephone`);
  }
  await page.goto(inspector + "/requests/2");
  await page.screenshot({ path: `${shots}/narrow.png`, fullPage: true });
  await page.setViewportSize({ width: 1360, height: 900 });
});

await step("everything works without the script", async () => {
  const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(inspector + "/?verdict=refused");
  assert.match(await plain.textContent("main"), /Refresh/);
  const rows = await plain.locator("#requests tbody tr").count();
  assert.equal(rows, await plain.locator("#requests tbody tr.refused").count());
  assert.ok(rows > 0);
  await plain.click("tbody a >> nth=0");
  await plain.click("#again");
  await plain.check("[value=nobody]");
  await plain.click("button.main");
  assert.match(await plain.textContent("#answer"), /The answer: \d+/);
});

assert.deepEqual(complaints, [], "the browser complained");

await step("a page of another origin can neither send nor read", async () => {
  const before = await (await fetch(inspector + "/?all=1")).text();
  const stranger = createServer((_, r) => { r.setHeader("Content-Type", "text/html"); r.end("<!doctype html><title>stranger</title>"); });
  await new Promise((done) => stranger.listen(0, "127.0.0.1", done));
  const visit = await context.newPage();
  await visit.goto(`http://127.0.0.1:${stranger.address().port}/`);
  const got = await visit.evaluate(async (target) => {
    const tries = [
      fetch(target + "/requests/1"), fetch(target + "/requests/1", { mode: "no-cors" }).then((r) => r.text()),
      fetch(target + "/send", { method: "POST", mode: "no-cors", body: new URLSearchParams({ method: "GET", path: "/orders/66", who: "nobody" }) }).then((r) => r.type + r.status),
    ];
    const frame = document.createElement("iframe");
    frame.src = target;
    document.body.append(frame);
    await new Promise((done) => { frame.onload = done; setTimeout(done, 2000); });
    let framed = false;
    try { framed = frame.contentDocument?.body.textContent.includes("Requests") ?? false; } catch { /* closed, as it should be */ }
    return { tries: (await Promise.allSettled(tries)).map((t) => t.value ?? "failed"), framed };
  }, inspector);
  stranger.close();
  assert.deepEqual(got, { tries: ["failed", "failed", "failed"], framed: false });
  const count = (html) => html.split('<tr data-number="').length;
  assert.equal(count(await (await fetch(inspector + "/?all=1")).text()), count(before));
});

await browser.close();
