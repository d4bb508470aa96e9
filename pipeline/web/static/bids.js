// The batch signer's desk: the plan as a form and as YAML side by side, presets, and pages looked at one by one.
"use strict";

const byId = (id) => document.getElementById(id);
const text = byId("plan");
const KINDS = ["keyword", "paging", "field", "pages"];
const NUMBERS = new Set(["x_mm", "y_mm", "every", "skip_first"]);
const FORM_KEYS = new Set(["seal", "seals", "files", "part", "pages", "skip_first", "keyword", "occurrence", "offset_mm", "x_mm", "y_mm", "from", "paging", "every", "field"]);
let plan = null;

// ---- YAML: one line a key; strings plain where that is safe, else as JSON, which YAML reads
const PLAIN = /^[\p{Script=Han}A-Za-z（][\p{Script=Han}\w（）·. -]*$/u;
const WORDS = /^(true|false|yes|no|on|off|y|n|null|none)$/i;
const flow = (value) => {
  if (typeof value === "string") return PLAIN.test(value) && !WORDS.test(value) && !/\s$/.test(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (value && typeof value === "object") return `{${Object.entries(value).map(([key, inner]) => `${flow(key)}: ${flow(inner)}`).join(", ")}}`;
  return JSON.stringify(value);
};
const yaml = (document_) => {
  const lines = [];
  for (const [key, value] of Object.entries(document_)) {
    if (key === "parts" && Array.isArray(value)) {
      if (value.length) lines.push("parts:", ...value.map((part) => `  - ${flow(part)}`));
    } else if (key === "rules") {
      if (value.length) lines.push("rules:"); // a plan of anonymous parts alone has none
      for (const rule of value) {
        Object.entries(rule).forEach(([name, inner], index) => lines.push(`${index ? "    " : "  - "}${name}: ${flow(inner)}`));
      }
    } else lines.push(`${key}: ${flow(value)}`);
  }
  return lines.join("\n") + "\n";
};

// ---- the form
const kindOf = (rule) => KINDS.find((kind) => kind in rule) || "pages";
const listText = (value) => (Array.isArray(value) ? value.join("、") : value ?? "");
const listOf = (value) => {
  const parts = value.split(/[、;；]/).map((part) => part.trim()).filter(Boolean);
  return parts.length > 1 ? parts : parts[0];
};
const put = (target, key, value) => {
  if (value === undefined || value === "") delete target[key];
  else target[key] = value;
};
// What is no number stays as it was written: the server says so, and `every: auto` is a word.
const number = (value) => (value.trim() === "" ? undefined : Number.isNaN(Number(value)) ? value.trim() : Number(value));

const fillRule = (item, rule) => {
  const kind = kindOf(rule);
  const field = (name) => item.querySelector(`[data-key="${name}"]`);
  field("seals").value = listText(rule.seals ?? rule.seal);
  item.querySelector("[data-kind]").value = kind;
  const scope = item.querySelector("[data-scope]");
  const parts = (plan.parts || []).filter((part) => !part.anonymous && !part["暗标"]).map((part) => part.name);
  scope.replaceChildren(...[["", "全部文件"], ...parts.map((name) => [`part:${name}`, `部分：${name}`]), ["files", "按文件名"]].map(([value, label]) => new Option(label, value)));
  const several = Array.isArray(rule.part) && rule.part.length > 1;
  if (several) scope.add(new Option(`部分：${listText(rule.part)}`, "parts"));
  const part = Array.isArray(rule.part) ? rule.part[0] : rule.part;
  scope.value = several ? "parts" : part ? `part:${part}` : rule.files && listText(rule.files) !== "*" ? "files" : "";
  field("files").value = listText(rule.files);
  field("keyword").value = Array.isArray(rule.keyword) && rule.keyword.some((one) => one.includes("、")) ? "" : listText(rule.keyword);
  field("keyword").disabled = field("keyword").value === "" && Boolean(rule.keyword && rule.keyword.length);
  field("occurrence").value = rule.occurrence ?? "";
  field("field").value = listText(rule.field);
  [field("dx").value, field("dy").value] = rule.offset_mm || ["", ""];
  for (const name of ["x_mm", "y_mm", "every", "skip_first", "pages"]) field(name).value = rule[name] ?? "";
  field("from").value = rule.from ?? "top_left";
  field("paging").value = rule.paging ?? "right";
  for (const line of item.querySelectorAll("[data-when]")) line.hidden = !line.dataset.when.split(" ").includes(kind);
  item.querySelector("[data-when-scope]").hidden = scope.value !== "files";
  const more = Object.keys(rule).filter((key) => !FORM_KEYS.has(key));
  const note = item.querySelector("[data-more]");
  note.hidden = more.length === 0 && !field("keyword").disabled;
  note.textContent = `另有 ${[...more, ...(field("keyword").disabled ? ["keyword"] : [])].join("、")}：请在 YAML 中修改`;
};

const readRule = (item, rule, changed) => {
  const field = (name) => item.querySelector(`[data-key="${name}"]`);
  const kind = item.querySelector("[data-kind]").value;
  const seals = listOf(field("seals").value);
  delete rule.seal; delete rule.seals;
  put(rule, Array.isArray(seals) ? "seals" : "seal", seals ?? "");
  if (seals === undefined) rule.seal = "";
  const scope = item.querySelector("[data-scope]").value;
  if (scope !== "parts") put(rule, "part", scope.startsWith("part:") ? scope.slice(5) : undefined);
  put(rule, "files", scope === "files" ? listOf(field("files").value) : undefined);
  if (changed.matches("[data-kind]")) {
    for (const key of ["keyword", "occurrence", "offset_mm", "anchor", "paging", "every", "position", "field", "x_mm", "y_mm", "from"]) delete rule[key];
    Object.assign(rule, { keyword: { keyword: "（盖单位章）" }, paging: { paging: "right" }, field: { field: "" }, pages: { pages: rule.pages || "first", x_mm: 50, y_mm: 50, from: "bottom_right" } }[kind]);
    return;
  }
  put(rule, "pages", field("pages").value.trim() || (kind === "pages" ? "all" : undefined));
  put(rule, "skip_first", number(field("skip_first").value));
  if (kind === "keyword") {
    if (!field("keyword").disabled) rule.keyword = listOf(field("keyword").value) ?? "";
    const nth = field("occurrence").value.trim();
    put(rule, "occurrence", /^\d+$/.test(nth) ? Number(nth) : nth);
  }
  if (kind === "field") rule.field = listOf(field("field").value) ?? "";
  if (kind === "keyword" || kind === "field") {
    const offset = [number(field("dx").value) ?? 0, number(field("dy").value) ?? 0];
    put(rule, "offset_mm", offset.some(Boolean) ? offset : undefined);
  }
  if (kind === "pages") {
    for (const name of ["x_mm", "y_mm"]) rule[name] = number(field(name).value) ?? 0;
    put(rule, "from", field("from").value);
  }
  if (kind === "paging") {
    rule.paging = field("paging").value;
    put(rule, "every", number(field("every").value));
  }
};

const drawForm = () => {
  const builder = byId("builder");
  builder.hidden = plan === null;
  if (plan === null) return;
  const copy = (id) => byId(id).content.firstElementChild.cloneNode(true);
  byId("parts").replaceChildren(...(plan.parts || []).map((part) => {
    const item = copy("part-form");
    item.querySelector('[data-key="name"]').value = part.name;
    item.querySelector('[data-key="files"]').value = listText(part.files);
    item.querySelector('[data-key="anonymous"]').checked = Boolean(part.anonymous || part["暗标"]);
    return item;
  }));
  byId("rules").replaceChildren(...plan.rules.map((rule) => {
    const item = copy("rule-form");
    fillRule(item, rule);
    return item;
  }));
};

const showError = (said) => {
  byId("plan-error").hidden = !said;
  byId("plan-error").textContent = said || "";
};
const write = (redraw) => {
  text.value = yaml(plan);
  if (redraw) drawForm();
  checkSoon(false);
};
const change = (event) => {
  const part = event.target.closest(".part-form");
  const rule = event.target.closest(".rule-form");
  if (part) {
    const held = plan.parts[[...part.parentNode.children].indexOf(part)];
    held.name = part.querySelector('[data-key="name"]').value;
    held.files = listOf(part.querySelector('[data-key="files"]').value) ?? "";
    delete held["暗标"];
    put(held, "anonymous", part.querySelector('[data-key="anonymous"]').checked || undefined);
    if (!held.anonymous) delete held.signature;
  }
  if (rule) readRule(rule, plan.rules[[...rule.parentNode.children].indexOf(rule)], event.target);
  write(event.target.matches("[data-kind], [data-scope], .part-form [data-key]"));
};
byId("builder").addEventListener("change", change);
byId("builder").addEventListener("click", (event) => {
  if (event.target.dataset.act === "drop") {
    const item = event.target.closest(".part-form, .rule-form");
    const held = item.matches(".part-form") ? plan.parts : plan.rules;
    held.splice([...item.parentNode.children].indexOf(item), 1);
  } else if (event.target.id === "add-rule") {
    const first = document.querySelector("#seal-names option");
    plan.rules.push({ seal: first ? first.value : "公章", keyword: "（盖单位章）" });
  } else if (event.target.id === "add-part") {
    (plan.parts ||= []).push({ name: `部分${plan.parts.length + 1}`, files: "*" });
    plan = { ...plan, rules: plan.rules }; // parts stand before the rules
    const { rules, parts, ...rest } = plan;
    plan = { ...rest, parts, rules };
  } else return;
  write(true);
});

// ---- the server says what a text means
let asked = 0;
let timer = 0;
const check = async (redraw) => {
  const mine = ++asked;
  const answer = await fetch("/plans/check", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ plan: text.value }) });
  const said = await answer.json();
  if (mine !== asked) return;
  showError(answer.ok ? "" : said.error.message_zh);
  if (answer.ok && redraw) { plan = said.plan; plan.rules ||= []; drawForm(); }
  byId("builder").inert = !answer.ok;
};
// A plan that is being written outlives a reload; a dry run of another plan is not signed by mistake.
const DRAFT = `plan ${location.pathname}`;
let previewed = null;
const remember = () => {
  try { sessionStorage.setItem(DRAFT, text.value); } catch { /* the browser keeps nothing */ }
  const stale = byId("stale");
  if (!stale) return;
  stale.hidden = previewed === null || text.value === previewed;
  byId("sign-actions").disabled = !stale.hidden;
};
byId("planning").addEventListener("htmx:beforeRequest", () => { byId("run").dataset.plan = text.value; });
byId("run").addEventListener("htmx:afterSwap", () => { previewed = byId("run").dataset.plan; remember(); });
const checkSoon = (redraw) => {
  remember();
  if (redraw) byId("builder").inert = true; // the form shows another plan than the text: it may not write over it
  clearTimeout(timer);
  timer = setTimeout(() => check(redraw).catch(() => showError("连接中断，请确认控制台仍在运行")), 400);
};
text.addEventListener("input", () => checkSoon(true));
text.addEventListener("plan-loaded", () => checkSoon(true));
try { text.value = sessionStorage.getItem(DRAFT) ?? text.value; } catch { /* the plan to start from stays */ }
checkSoon(true);

// ---- presets
byId("preset").addEventListener("change", async (event) => {
  if (!event.target.value) return;
  const answer = await fetch(`/plans/${encodeURIComponent(event.target.value)}`, { headers: { Accept: "application/json" } });
  const said = await answer.json();
  if (!answer.ok) { showError(said.error.message_zh); return; }
  text.value = said.plan;
  if (!said.builtin) byId("preset-name").value = said.name;
  checkSoon(true);
});
byId("preset-save").addEventListener("click", async () => {
  const answer = await fetch("/plans", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name: byId("preset-name").value, plan: text.value }) });
  const said = await answer.json();
  byId("preset-said").textContent = answer.ok ? `已保存：${said.name}，第 ${said.version} 版` : said.error.message_zh;
});

// ---- the dry run: filter by file, open a page
const viewer = byId("viewer");
let shown = null;
const open = (thumb) => {
  if (!thumb) return;
  shown = thumb;
  byId("viewer-title").textContent = thumb.dataset.title;
  byId("viewer-image").src = thumb.dataset.large;
  byId("viewer-image").alt = thumb.dataset.title;
  if (!viewer.open) viewer.showModal();
};
const step = (by) => {
  const all = [...document.querySelectorAll(".thumb")].filter((thumb) => !thumb.closest("[hidden]"));
  open(all[all.indexOf(shown) + by]);
};
byId("run").addEventListener("click", (event) => {
  const thumb = event.target.closest(".thumb");
  const link = event.target.closest("[data-open]");
  if (thumb || link) open(thumb || byId(link.dataset.open));
});
byId("run").addEventListener("change", (event) => {
  if (event.target.id !== "only-file") return;
  for (const item of byId("run").querySelectorAll("[data-file]")) item.hidden = Boolean(event.target.value) && item.dataset.file !== event.target.value;
});
viewer.addEventListener("click", (event) => {
  if (event.target.dataset.step) step(Number(event.target.dataset.step));
  if (event.target === viewer || "close" in event.target.dataset) viewer.close();
});
viewer.addEventListener("keydown", (event) => {
  if (event.key === "ArrowRight") step(1);
  if (event.key === "ArrowLeft") step(-1);
});
