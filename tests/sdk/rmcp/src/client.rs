//! A client that does what each line of stdin says, and writes down what came of it.

use std::{
    collections::{BTreeSet, HashMap},
    error::Error,
    sync::{Arc, Mutex},
};

use rmcp::{
    ClientHandler, ClientServiceExt, ErrorData, RoleClient,
    model::{
        CallToolRequestParams, ClientConfig, ClientRequest, CompleteRequestParams,
        CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams, ElicitResult,
        ListRootsResult, LoggingMessageNotificationParam, PingRequest, ProgressNotificationParam,
        ProtocolVersion, ResourceUpdatedNotificationParam, ServerNotification, SubscriptionFilter,
    },
    service::{
        ClientLifecycleMode, NotificationContext, RequestContext, RunningService, ServiceError,
    },
    transport::{StreamableHttpClientTransport, TokioChildProcess},
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    task::AbortHandle,
};

use crate::of;

fn event(value: Value) {
    println!("{value}");
}

fn plain(result: impl Serialize) -> Value {
    serde_json::to_value(result).expect("results are JSON")
}

/// How the client answers, and which of its calls are under way: the SDK numbers progress by tokens
/// of its own, so a report counts for the oldest.
#[derive(Clone)]
struct Answers {
    form: Arc<Mutex<Value>>,
    calls: Arc<Mutex<BTreeSet<u64>>>,
}

impl ClientHandler for Answers {
    fn get_info(&self) -> ClientConfig {
        let capabilities =
            json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
        let info = json!({"name": "matrix", "version": "1.0.0"});
        of(
            json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": info}),
        )
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let params = plain(&request);
        let is_page = params["mode"] == "url";
        let what = if is_page { "page" } else { "form" };
        event(
            json!({"event": "asked", "what": what, "message": params["message"], "url": params["url"]}),
        );
        if is_page {
            return Ok(of(json!({"action": "accept"})));
        }
        let form = self.form.lock().unwrap().clone();
        if form["action"] == "never" {
            std::future::pending::<()>().await;
        }
        Ok(of(form))
    }

    async fn create_message(
        &self,
        request: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let mut content = plain(&request)["messages"][0]["content"].clone();
        if let Some(first) = content.as_array().and_then(|blocks| blocks.first()) {
            content = first.clone();
        }
        event(json!({"event": "asked", "what": "sampling", "message": content["text"]}));
        let content = json!({"type": "text", "text": "Paris"});
        Ok(of(json!({"role": "assistant", "model": "stand-in", "content": content})))
    }

    async fn list_roots(
        &self,
        _context: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        event(json!({"event": "asked", "what": "roots"}));
        Ok(of(json!({"roots": [{"uri": "file:///home/ada", "name": "home"}]})))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        let of = self.calls.lock().unwrap().first().copied();
        let params = plain(params);
        event(
            json!({"event": "progress", "of": of, "progress": number(&params["progress"]), "total": number(&params["total"])}),
        );
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        event(json!({"event": "log", "level": plain(params.level), "data": params.data}));
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        event(json!({"event": "updated", "uri": params.uri}));
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        event(json!({"event": "changed", "what": "tools"}));
    }

    async fn on_prompt_list_changed(&self, _context: NotificationContext<RoleClient>) {
        event(json!({"event": "changed", "what": "prompts"}));
    }

    async fn on_resource_list_changed(&self, _context: NotificationContext<RoleClient>) {
        event(json!({"event": "changed", "what": "resources"}));
    }
}

/// 1.0 as 1, as the checks compare.
fn number(value: &Value) -> Value {
    value.as_f64().map_or(Value::Null, |number| json!(number as i64))
}

type Running = RunningService<RoleClient, Answers>;

struct Player {
    service: Arc<Running>,
    answers: Answers,
    level: Mutex<Option<Value>>,
}

/// Opens a session and plays it until stdin ends or says `close`.
pub async fn play(mode: &str, target: &[&str]) -> Result<(), Box<dyn Error>> {
    let answers = Answers {
        form: Arc::new(Mutex::new(json!({"action": "accept", "content": {"name": "Ada"}}))),
        calls: Arc::default(),
    };
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = match mode {
        "legacy" => ClientLifecycleMode::Initialize,
        "modern" => ClientLifecycleMode::Discover { preferred_versions },
        _ => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
    };
    let service = match target {
        [url] => {
            answers
                .clone()
                .serve_with_lifecycle(StreamableHttpClientTransport::from_uri(*url), lifecycle)
                .await?
        }
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments);
            answers
                .clone()
                .serve_with_lifecycle(TokioChildProcess::new(command)?, lifecycle)
                .await?
        }
        [] => return Err("a command or a URL is wanted".into()),
    };
    let player = Arc::new(Player { service: Arc::new(service), answers, level: Mutex::default() });
    let mut calls: HashMap<u64, AbortHandle> = HashMap::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let line: Value = serde_json::from_str(&line)?;
        let (id, name, params) = (
            line["id"].as_u64().expect("an id"),
            line["do"].as_str().expect("a deed"),
            &line["params"],
        );
        match name {
            "close" => break,
            // A call whose future is dropped is cancelled by the SDK.
            "cancel" => {
                calls[&params["of"].as_u64().expect("a call")].abort();
                event(json!({"id": id, "result": {}}));
            }
            _ => {
                let (player, name, params) = (player.clone(), name.to_owned(), params.clone());
                let task = tokio::spawn(async move { player.perform(id, &name, params).await });
                calls.insert(id, task.abort_handle());
            }
        }
    }
    player.service.cancellation_token().cancel();
    for call in calls.values() {
        call.abort();
    }
    // The last one to hold the session closes it and waits for the process.
    let mut player = player;
    loop {
        match Arc::try_unwrap(player) {
            Ok(last) => {
                let Ok(service) = Arc::try_unwrap(last.service) else {
                    return Err("the session is still held".into());
                };
                service.waiting().await?;
                return Ok(());
            }
            Err(held) => player = held,
        }
        tokio::task::yield_now().await;
    }
}

impl Player {
    async fn perform(&self, id: u64, name: &str, params: Value) {
        match self.result(id, name, params).await {
            Ok(result) => event(json!({"id": id, "result": result})),
            Err(ServiceError::McpError(error)) => {
                let about =
                    json!({"code": error.code.0, "message": error.message, "data": error.data});
                event(json!({"id": id, "error": about}));
            }
            Err(error) => event(json!({"id": id, "error": {"message": error.to_string()}})),
        }
    }

    fn is_modern(&self) -> bool {
        self.service
            .peer_info()
            .is_some_and(|info| info.protocol_version >= ProtocolVersion::V_2026_07_28)
    }

    async fn result(&self, id: u64, name: &str, params: Value) -> Result<Value, ServiceError> {
        let service = &self.service;
        let page = || if params["cursor"].is_null() { None } else { Some(of(params.clone())) };
        Ok(match name {
            "open" => self.opened(),
            "answer" => {
                *self.answers.form.lock().unwrap() = params;
                json!({})
            }
            "ping" => plain(
                service.send_request(ClientRequest::PingRequest(PingRequest::default())).await?,
            ),
            "tools/list" => plain(service.list_tools(page()).await?),
            "tools/call" => self.call(id, params).await?,
            "prompts/list" => plain(service.list_prompts(page()).await?),
            "prompts/get" => plain(service.get_prompt(of(params)).await?),
            "resources/list" => plain(service.list_resources(page()).await?),
            "resources/templates/list" => plain(service.list_resource_templates(page()).await?),
            "resources/read" => plain(service.read_resource(of(params)).await?),
            "completion/complete" => {
                plain(service.complete(of::<CompleteRequestParams>(params)).await?)
            }
            "level" => {
                if self.is_modern() {
                    *self.level.lock().unwrap() = Some(params["level"].clone());
                } else {
                    service.set_level(of(params)).await?;
                }
                json!({})
            }
            "rootsChanged" => {
                service.notify_roots_list_changed().await?;
                json!({})
            }
            "listen" => self.listen(params).await?,
            other => panic!("no such deed: {other}"),
        })
    }

    fn opened(&self) -> Value {
        let info = self.service.peer_info().expect("the server has answered");
        let era = if self.is_modern() { "modern" } else { "legacy" };
        let name = info.server_info.as_ref().map(|server| &server.name);
        json!({"era": era, "name": name, "instructions": info.instructions})
    }

    async fn call(&self, id: u64, mut params: Value) -> Result<Value, ServiceError> {
        let _under_way = UnderWay::begin(id, &self.answers.calls);
        if let Some(level) = self.level.lock().unwrap().clone() {
            params["_meta"] = json!({"io.modelcontextprotocol/logLevel": level});
        }
        Ok(plain(self.service.call_tool(of::<CallToolRequestParams>(params)).await?))
    }

    async fn listen(&self, params: Value) -> Result<Value, ServiceError> {
        let uri = params["uri"].as_str().expect("a URI");
        if !self.is_modern() {
            self.service.subscribe(of(params.clone())).await?;
            return Ok(json!({}));
        }
        let filter = SubscriptionFilter::builder()
            .tools_list_changed()
            .prompts_list_changed()
            .resources_list_changed()
            .resource_subscription(uri)
            .build();
        let mut subscription = self.service.listen(filter).await?;
        let acknowledged = plain(subscription.acknowledged());
        tokio::spawn(async move {
            while let Ok(Some(notification)) = subscription.next().await {
                told(notification);
            }
        });
        Ok(acknowledged)
    }
}

/// A call, until it ends or is given up.
struct UnderWay {
    id: u64,
    calls: Arc<Mutex<BTreeSet<u64>>>,
}

impl UnderWay {
    fn begin(id: u64, calls: &Arc<Mutex<BTreeSet<u64>>>) -> Self {
        calls.lock().unwrap().insert(id);
        Self { id, calls: calls.clone() }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.calls.lock().unwrap().remove(&self.id);
    }
}

fn told(notification: ServerNotification) {
    let notification = plain(notification);
    match notification["method"].as_str() {
        Some("notifications/resources/updated") => {
            event(json!({"event": "updated", "uri": notification["params"]["uri"]}));
        }
        Some(method) if method.ends_with("/list_changed") => {
            event(json!({"event": "changed", "what": method.split('/').nth(1)}));
        }
        _ => {}
    }
}
