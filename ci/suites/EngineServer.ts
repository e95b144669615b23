// Takes the place of Azurite's server in Azurite's own tests: the engine as a process, at the ports that they ask.
import { ChildProcess, spawn } from "child_process";

export default class EngineServer {
  public config: { host: string; port: number; cert: string; key: string };
  private child?: ChildProcess;

  constructor(private service: "queue" | "table", port: number, https?: boolean) {
    const file = (name: string) => (https ? `tests/server.${name}` : "");
    this.config = { host: "127.0.0.1", port, cert: file("cert"), key: file("key") };
  }

  public async start() {
    const other = this.service === "queue" ? "table" : "queue";
    const flags = [`--${this.service}-port=${this.config.port}`, `--${other}-port=0`];
    if (this.config.cert) {
      flags.push("--certificate", this.config.cert, "--certificate-key", this.config.key);
    }
    const child = spawn(process.env.ENGINE!, flags, { stdio: ["ignore", "pipe", "inherit"] });
    this.child = child;
    await new Promise<void>((listens, fails) => {
      child.stdout!.once("data", () => listens());
      child.once("exit", (code) => fails(new Error(`the engine has ended with ${code}`)));
    });
  }

  public async close() {
    const child = this.child;
    this.child = undefined;
    if (child) {
      const ended = new Promise((ends) => child.once("exit", ends));
      child.kill();
      await ended;
    }
  }

  // Its data is in memory.
  public async clean() {}
}
