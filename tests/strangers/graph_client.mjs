// node graph_client.mjs SETTINGS.json STEP...: signs in with Microsoft's library, and carries out each step with
// Microsoft's Graph client. A step is a word and its arguments, with commas between them:
//   sign-in,FORM            FORM: sha256 or sha1, the thumbprint that names the certificate
//   put,REMOTE,LOCAL        in one request
//   upload,REMOTE,LOCAL     by an upload session
//   get,REMOTE,LOCAL
//   list,FOLDER             two at a time
//   remove,REMOTE           for good
// Prints a line of JSON for each. SETTINGS: modules (a folder), login, graph, tenant, app, certificate, key (files),
// site (as HOST:/PATH), library.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const require = createRequire(settings.modules + "/package.json");
const { ConfidentialClientApplication } = require("@azure/msal-node");
const { Client, FileUpload, OneDriveLargeFileUploadTask, PageIterator } = require("@microsoft/microsoft-graph-client");

const certificate = readFileSync(settings.certificate, "utf8");
const der = new X509Certificate(certificate).raw;
const digest = (algorithm) => createHash(algorithm).update(der).digest("hex");

function application(form) {
  const privateKey = readFileSync(settings.key, "utf8");
  const thumbprint = form === "sha1" ? { thumbprint: digest("sha1") } : { thumbprintSha256: digest("sha256") };
  return new ConfidentialClientApplication({
    auth: {
      clientId: settings.app,
      authority: `${settings.login}/${settings.tenant}`,
      knownAuthorities: [new URL(settings.login).host],
      clientCertificate: { ...thumbprint, privateKey, x5c: certificate },
    },
  });
}

const scopes = ["https://graph.microsoft.com/.default"];
const ours = application("sha256");
const client = Client.initWithMiddleware({
  authProvider: { getAccessToken: async () => (await ours.acquireTokenByClientCredential({ scopes })).accessToken },
  baseUrl: settings.graph + "/",
  customHosts: new Set([new URL(settings.graph).hostname]),
});

let drive;
async function at(path) {
  if (!drive) {
    const site = await client.api(`/sites/${settings.site}`).get();
    const drives = await client.api(`/sites/${site.id}/drives`).get();
    drive = drives.value.find((one) => one.name === settings.library).id;
  }
  return `/drives/${drive}/root:/${path}:`;
}

const steps = {
  async "sign-in"(form) {
    const entrance = application(form);
    const first = await entrance.acquireTokenByClientCredential({ scopes });
    const second = await entrance.acquireTokenByClientCredential({ scopes });
    return { token: first.accessToken !== "", cached: second.fromCache && second.accessToken === first.accessToken };
  },
  async put(remote, local) {
    const item = await client.api((await at(remote)) + "/content").put(readFileSync(local));
    return { name: item.name, size: item.size, hash: item.file.hashes.quickXorHash };
  },
  async upload(remote, local) {
    const bytes = readFileSync(local);
    const file = new FileUpload(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), basename(remote), bytes.length);
    const task = await OneDriveLargeFileUploadTask.createTaskWithFileObject(client, file, {
      fileName: basename(remote),
      conflictBehavior: "fail",
      uploadSessionURL: (await at(remote)) + "/createUploadSession",
      rangeSize: 4 * 1024 * 1024,
    });
    const { responseBody } = await task.upload();
    return { name: responseBody.name, size: responseBody.size, hash: responseBody.file.hashes.quickXorHash };
  },
  async get(remote, local) {
    const stream = await client.api((await at(remote)) + "/content").getStream();
    const parts = [];
    for await (const part of stream) parts.push(part);
    const bytes = Buffer.concat(parts);
    writeFileSync(local, bytes);
    return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  },
  async list(folder) {
    const names = [];
    const page = await client.api((await at(folder)) + "/children").top(2).get();
    await new PageIterator(client, page, (item) => names.push(item.name)).iterate();
    return { names };
  },
  async remove(remote) {
    const item = await client.api(await at(remote)).get();
    await client.api(`/drives/${drive}/items/${item.id}/permanentDelete`).post({});
    return { removed: item.name };
  },
};

for (const step of process.argv.slice(3)) {
  const [name, ...words] = step.split(",");
  console.log(JSON.stringify({ step: name, ...(await steps[name](...words)) }));
}
