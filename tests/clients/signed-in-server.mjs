// An MCP server that wants a sign-in which nobody finishes: enough of the metadata for a page to be opened. Says
// `url …` once it listens, and a line for each request to an authorization server's endpoint.
import http from "node:http";

let origin;
const documents = {
    "/.well-known/oauth-protected-resource/mcp": () => ({
        resource: `${origin}/mcp`,
        authorization_servers: [origin],
    }),
    "/.well-known/oauth-authorization-server": () => ({
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        response_types_supported: ["code"],
        code_challenge_methods_supported: ["S256"],
    }),
};

const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, origin);
    const json = (status, body, headers = {}) => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(JSON.stringify(body));
    };
    request.resume().on("end", () => {
        if (documents[pathname]) return json(200, documents[pathname]());
        if (pathname === "/mcp") {
            const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
            return json(401, { error: "invalid_token" }, {
                "www-authenticate": `Bearer resource_metadata="${metadata}"`,
            });
        }
        console.log(`${request.method} ${pathname}`);
        if (pathname === "/register") return json(201, { client_id: "c", redirect_uris: [] });
        return json(404, {});
    });
});
server.listen(0, "127.0.0.1", () => {
    origin = `http://127.0.0.1:${server.address().port}`;
    console.log(`url ${origin}/mcp`);
});
