// Follows the work that this page shows, and goes on to the history when it has come to its end.
"use strict";

const place = document.getElementById("progress");
const status = place.querySelector("[role=status]");
const steps = [...place.querySelectorAll("[data-step]")];
const source = new EventSource(place.dataset.events);

source.addEventListener("stage", (event) => {
  const stage = JSON.parse(event.data);
  // Which steps there are is known once the plan has been checked.
  if (stage.steps.join() !== steps.map((step) => step.dataset.step).join()) {
    source.close();
    location.reload();
    return;
  }
  const present = steps.findIndex((step) => step.dataset.step === stage.step);
  steps.forEach((step, number) => {
    step.classList.toggle("done", number < present);
    if (number === present) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  });
  const words = present < 0 ? stage.step || "Looking at the plan" : steps[present].textContent;
  const files = stage.files ? `: ${stage.files[0]} of ${stage.files[1]} files` : "";
  // A screen reader hears what is new, and not each file.
  if (status.dataset.step !== stage.step || !files) status.textContent = `${words}${files}.`;
  status.dataset.step = stage.step;
});

source.addEventListener("end", () => {
  source.close();
  location.replace(place.dataset.next);
});

// Where nothing more can be heard, the page itself says how far the work is, or leads on.
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 2000);
});
