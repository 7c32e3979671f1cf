// One line that moves over every picture while a sound plays, and pictures that can be clicked to move it.
const spanS = Number(document.querySelector("main").dataset.spanS);
const players = [...document.querySelectorAll("audio")];
let current = players[0];

const draw = () => {
  document.documentElement.style.setProperty("--played", Math.min(1, current.currentTime / spanS));
  if (!current.paused) requestAnimationFrame(draw);
};
const seek = (seconds) => {
  current.currentTime = seconds;
  document.documentElement.classList.add("played");
  draw();
};

for (const player of players) {
  player.addEventListener("play", () => {
    for (const other of players) if (other !== player) other.pause();
    current = player;
    document.documentElement.classList.add("played");
    draw();
  });
  player.addEventListener("seeked", () => player === current && draw());
}
if (current) {
  for (const area of document.querySelectorAll(".area"))
    area.addEventListener("click", (event) => {
      const own = area.closest(".layer")?.querySelector("audio"); // beside it where each picture has its sound
      if (own && own !== current) {
        current.pause();
        current = own;
      }
      const box = area.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * spanS);
    });
  for (const button of document.querySelectorAll("[data-seek-s]")) {
    button.disabled = false;
    button.addEventListener("click", () => {
      seek(Number(button.dataset.seekS));
      current.play();
    });
  }
  for (const box of document.querySelectorAll("input[name=repeat]")) {
    box.closest("label").hidden = false;
    box.addEventListener("change", () => players.forEach((player) => (player.loop = box.checked)));
  }
}
