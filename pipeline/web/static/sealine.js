// What the console does in the browser besides HTMX: file names, size limits, plan files, broken connections.
"use strict";

const message = (text) => {
  const box = document.createElement("div");
  box.className = "note bad";
  box.setAttribute("role", "alert");
  const line = document.createElement("p");
  line.textContent = text;
  box.append(line);
  document.getElementById("message").replaceChildren(box);
};

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.type !== "file") return;
  const file = input.files[0];
  const target = input.dataset.loadInto && document.getElementById(input.dataset.loadInto);
  if (target && file) {
    if (file.size > 256 * 1024) { message("方案文件超过 256 KB 上限"); return; }
    file.text().then((text) => { target.value = text; target.dispatchEvent(new Event("plan-loaded")); });
    return;
  }
  const zone = input.closest("[data-drop]");
  if (!zone) return;
  const title = zone.querySelector("[data-drop-title]");
  title.dataset.empty ||= title.textContent;
  const limit = Number(input.dataset.maxMb);
  if (file && file.size > limit * 1024 * 1024) {
    message(`${file.name} 超过 ${limit} MB 上限，请拆分，或改用命令行`);
    input.value = "";
  }
  const chosen = input.files[0];
  title.textContent = chosen ? chosen.name : title.dataset.empty;
  zone.classList.toggle("chosen", Boolean(chosen));
});

for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(name, (event) => {
    const zone = event.target.closest && event.target.closest("[data-drop]");
    if (zone) zone.classList.toggle("over", over);
    else if (name !== "dragleave") event.preventDefault(); // a file dropped beside the zone must not replace the page
  });
}

document.addEventListener("htmx:beforeRequest", () => document.getElementById("message").replaceChildren());
document.addEventListener("htmx:sendError", () => message("连接中断：请确认控制台仍在运行；文件过大也会如此"));
document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = document.getElementById("upload");
  if (!bar || !event.detail.lengthComputable) return;
  bar.hidden = event.detail.loaded >= event.detail.total;
  bar.value = (100 * event.detail.loaded) / event.detail.total;
});
