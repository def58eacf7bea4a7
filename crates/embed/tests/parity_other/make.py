"""Makes this kit: a second implementation of the published form, plain and slow, written from the specification
alone (no shared code, no caches, one text a pass), and scenarios that the first kit lacks: more turns than the
queue holds, turns longer than a pass, other sizes, shards. Needs torch, tokenizers, safetensors.

    python make.py ../parity OUT
"""
import json, torch, random, os, shutil, sys
from tokenizers import Tokenizer
from safetensors.torch import save_file
torch.manual_seed(3); random.seed(5)
src=sys.argv[1]+"/model"; out=sys.argv[2]; shutil.rmtree(out,ignore_errors=True); os.makedirs(out+"/model")
ids=json.load(open(src+"/evo_ids.json")); I=ids["ids"]
base=json.load(open(src+"/base_config.json")); cfg=json.load(open(src+"/config.json")); emb=json.load(open(src+"/emb_config.json"))
base.update(hidden_size=40,intermediate_size=72,num_hidden_layers=3,num_attention_heads=6,num_key_value_heads=2,head_dim=10,rope_theta=10000.0,vocab_size=540,rms_norm_eps=1e-5)
cfg.update(num_latents=5,buffer_capacity=60,lora_r=4,lora_alpha=12)
D,F,L,H,G,hd,V,eps=40,72,3,6,2,10,540,1e-5; K,C,r,s=5,60,4,3.0; E=24
ids.update(num_latents=5,buffer_capacity=60,lora_scaling=3.0)
T={}
def R(*sh,sc=0.35,mid=0.): return torch.randn(*sh)*sc+mid
T["memory_queries"]=R(1,K,D,sc=.5)
for n,a,b in [("latent_to_mem.0",D,D),("mem_to_latent.0",D,D),("mem_to_emb.0",E,D),("mem_to_emb.2",E,E)]:
    T[n+".weight"]=R(a,b,sc=.25); T[n+".bias"]=R(a,sc=.1)
P="model.base_model.model.model."
T[P+"embed_tokens.weight"]=R(V,D,sc=.5); T[P+"norm.weight"]=R(D,sc=.2,mid=1.)
sz={"self_attn.q_proj":(H*hd,D),"self_attn.k_proj":(G*hd,D),"self_attn.v_proj":(G*hd,D),"self_attn.o_proj":(D,H*hd),"mlp.gate_proj":(F,D),"mlp.up_proj":(F,D),"mlp.down_proj":(D,F)}
for l in range(L):
    q=f"{P}layers.{l}."
    T[q+"input_layernorm.weight"]=R(D,sc=.2,mid=1.); T[q+"post_attention_layernorm.weight"]=R(D,sc=.2,mid=1.)
    T[q+"self_attn.q_norm.weight"]=R(hd,sc=.2,mid=1.); T[q+"self_attn.k_norm.weight"]=R(hd,sc=.2,mid=1.)
    for n,(a,b) in sz.items():
        T[q+n+".base_layer.weight"]=R(a,b,sc=.2)
        for ad in ("memory_generator","retriever"):
            T[q+n+f".lora_A.{ad}.weight"]=R(r,b,sc=.2); T[q+n+f".lora_B.{ad}.weight"]=R(a,r,sc=.2)
def rms(x,w): return x*torch.rsqrt(x.pow(2).mean(-1,keepdim=True)+eps)*w
def lin(x,n,ad):
    y=x@T[n+".base_layer.weight"].T
    if ad: y=y+s*((x@T[n+f".lora_A.{ad}.weight"].T)@T[n+f".lora_B.{ad}.weight"].T)
    return y
def rot(x,cos,sin):
    h=x.shape[-1]//2; return x*cos+torch.cat([-x[...,h:],x[...,:h]],-1)*sin
def lm(x,ad):
    n=x.shape[0]; inv=1/(10000.0**(torch.arange(0,hd,2).float()/hd)); fr=torch.arange(n).float()[:,None]*inv[None]; fr=torch.cat([fr,fr],-1)
    cos,sin=fr.cos(),fr.sin(); m=torch.full((n,n),float("-inf")).triu(1)
    for l in range(L):
        q=f"{P}layers.{l}."; h=rms(x,T[q+"input_layernorm.weight"])
        Q=rms(lin(h,q+"self_attn.q_proj",ad).view(n,H,hd),T[q+"self_attn.q_norm.weight"]).transpose(0,1)
        Kk=rms(lin(h,q+"self_attn.k_proj",ad).view(n,G,hd),T[q+"self_attn.k_norm.weight"]).transpose(0,1)
        Vv=lin(h,q+"self_attn.v_proj",ad).view(n,G,hd).transpose(0,1)
        Q,Kk=rot(Q,cos,sin),rot(Kk,cos,sin)
        Kk=Kk.repeat_interleave(H//G,0); Vv=Vv.repeat_interleave(H//G,0)
        a=torch.softmax(Q@Kk.transpose(1,2)*hd**-.5+m,-1)@Vv
        x=x+lin(a.transpose(0,1).reshape(n,H*hd),q+"self_attn.o_proj",ad)
        h=rms(x,T[q+"post_attention_layernorm.weight"])
        x=x+lin(torch.nn.functional.silu(lin(h,q+"mlp.gate_proj",ad))*lin(h,q+"mlp.up_proj",ad),q+"mlp.down_proj",ad)
    return rms(x,T[P+"norm.weight"])
def aff(x,n): return x@T[n+".weight"].T+T[n+".bias"]
em=lambda i: T[P+"embed_tokens.weight"][torch.tensor(i)]
def chunks(lens):
    o,i=[],0
    while i<len(lens):
        n,t=1,lens[i]
        while i+n<len(lens) and n<16 and t+lens[i+n]<=2048: t+=lens[i+n]; n+=1
        o.append(n); i+=n
    return o
def memory(segs,ch):
    M=torch.zeros(0,D); allr=[]; i=0
    for n in ch:
        parts=[aff(M,"mem_to_latent.0")]; pos=[]; ln=M.shape[0]
        for sg in segs[i:i+n]:
            parts+= [em(sg),T["memory_queries"][0]]; pos.append(ln+len(sg)); ln+=len(sg)+K
        h=lm(torch.cat(parts),"memory_generator")
        new=torch.cat([torch.relu(aff(h[p:p+K],"latent_to_mem.0")) for p in pos]); allr.append(new)
        M=torch.cat([M,new])[-C:]; i+=n
    return (torch.cat(allr) if allr else torch.zeros(0,D)),M
def vec(t,M):
    x=torch.cat([aff(M,"mem_to_latent.0"),em(t)]); h=lm(x,"retriever")[-1]
    return aff(torch.relu(aff(torch.relu(aff(h,"latent_to_mem.0")),"mem_to_emb.0")),"mem_to_emb.2")
unit=lambda v: v/v.norm(dim=-1,keepdim=True).clamp_min(1e-12)
tk=Tokenizer.from_file(src+"/tokenizer.json"); enc=lambda t: tk.encode(t,add_special_tokens=False).ids
end=[I["endoftext"]]
words="tea cat moved dentist tuesday 12 café naïve школа 我们 river, window! piano\nred  blue".split(" ")
def sent(n): return " ".join(random.choice(words) for _ in range(n))
sc=[]; X={}
def make(name,pairs,query):
    msgs=[]; turns=[]
    for u,a in pairs:
        msgs+=[{"role":"user","content":u},{"role":"assistant","content":a}]
        turns.append("\n".join(([f"User: {u}"] if u else [])+([f"Assistant: {a}"] if a else [])))
    S={"name":name,"messages":msgs,"turns":turns,"query":query}
    ti=[enc(t)+end for t in turns]; S["a_turn_ids"]=ti; ch=chunks([len(t) for t in ti]); S["a_chunks"]=ch
    S["a_query_prefixed_ids"]=enc(ids["prefix_text"]+query)+end
    texts=ti+[enc(query)+end]; _,M=memory(ti,ch)
    if ti: X[name+".a_latent_buffer"]=M
    X[name+".a_embeddings"]=unit(torch.stack([vec(t,M) for t in texts])); X[name+".a_query_prefixed"]=unit(vec(S["a_query_prefixed_ids"],M)[None])
    X[name+".a_no_memory"]=unit(torch.stack([vec(t,torch.zeros(0,D)) for t in texts]))
    if pairs:
        st="".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in msgs)+f"<|im_start|>user\n{query}<|im_end|>\n<|im_start|>assistant\n"
        b=enc(st); S["b_input_ids"]=b; pts=[0]
        for i,x in enumerate(b):
            if x==I["im_end"] and ((i+3<len(b) and b[i+3]==I["user"]) or i==len(b)-2): pts.append(i+2)
        if pts[-1]!=len(b): pts.append(len(b))
        S["b_split_points"]=pts; segs=[b[x:y] for x,y in zip(pts,pts[1:])][:-1]; assert len(segs)==len(pairs)
        ch=chunks([len(x) for x in segs]); S["b_chunks"]=ch
        rt=ti+[I["prefix"]+enc(query)+end]; S["b_retrieval_ids"]=rt; allr,M=memory(segs,ch); X[name+".b_latents"]=allr
        vs=torch.stack([vec(t,(allr[max(0,K*i-C):K*i] if i<len(segs) else M)) for i,t in enumerate(rt)]); X[name+".b_vectors"]=vs
        u=unit(vs); scs=(u[:-1]@u[-1])/0.1; X[name+".b_scores"]=scs; X[name+".b_probs"]=scs.softmax(0); S["b_order"]=scs.argsort(descending=True).tolist()
    sc.append(S)
with torch.no_grad():
    make("many",[(sent(random.randint(1,9)),random.choice(["",sent(4)])) for _ in range(45)],"where is it?")
    make("long",[(sent(3),""),(sent(900),sent(5)),(sent(600),""),("",sent(7)),(sent(5),sent(400)),("ok","ok")],"Was it long?")
    make("one",[("hello there","")],"hi"); make("none",[],"hello")
    make("whitespace",[("  leading\n\n","\n"),("tab\there ","x")]," spaced ")
keys={k:list(v.shape) for k,v in T.items()}
json.dump({"scenarios":sc,"checkpoint_keys":keys},open(out+"/cases.json","w")); save_file({k:v.contiguous() for k,v in X.items()},out+"/expected.safetensors")
names=sorted(T); mp={}
for j in range(2):
    part={n:T[n].contiguous() for n in names[j::2]}; f=f"model-0000{j+1}-of-00002.safetensors"; save_file(part,f"{out}/model/{f}"); mp.update({n:f for n in part})
json.dump({"metadata":{},"weight_map":mp},open(out+"/model/model.safetensors.index.json","w"))
json.dump(base,open(out+"/model/base_config.json","w")); json.dump(cfg,open(out+"/model/config.json","w")); json.dump(ids,open(out+"/model/evo_ids.json","w")); shutil.copy(src+"/tokenizer.json",out+"/model/")
print([len(s.get("b_input_ids",[])) for s in sc],[s.get("b_chunks") for s in sc])
