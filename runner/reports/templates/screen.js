"use strict";
(() => {
  const page = document.documentElement;
  const made = Number(page.dataset.made) * 1000;
  const every = Number(page.dataset.every) * 1000;
  const old = document.getElementById("old");
  const pause = document.getElementById("pause");
  let touched = 0;

  const judge = () => {
    const minutes = Math.floor((Date.now() - made) / 60000);
    const stale = Date.now() - made > 2 * every;
    page.classList.toggle("stale", stale);
    old.hidden = !stale;
    if (stale) {
      const days = Math.floor(minutes / 1440), hours = Math.floor(minutes / 60);
      const age = days > 1 ? days + " hari" : hours > 1 ? hours + " jam" : minutes + " menit";
      const text = "Data lama: halaman ini dibuat " + age + " yang lalu. Keadaan sekarang tidak diketahui.";
      if (old.textContent !== text) old.textContent = text;
    }
  };

  const paused = () => pause.getAttribute("aria-pressed") === "true";
  pause.hidden = false;
  pause.addEventListener("click", () => pause.setAttribute("aria-pressed", String(!paused())));
  for (const kind of ["keydown", "pointerdown", "wheel", "touchstart"])
    addEventListener(kind, () => { touched = Date.now(); }, { passive: true });

  judge();
  setInterval(judge, 10000);
  setInterval(() => {
    if (!paused() && Date.now() - touched > 60000) location.reload();
  }, Math.min(Math.max(every, 30000), 3600000));
})();
